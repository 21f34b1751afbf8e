// The note of a process that does not need the tracker.

#ifndef CF_UNTRACED_H
#define CF_UNTRACED_H

#pragma GCC visibility push(hidden)

/// Leaves a note in a run's folder of stores, unless there is one of this executable. Called when
/// the process starts.
void cf_note_untraced(const char *folder, int count, char **arguments);

/// Removes the note that this process has left: it needs the tracker after all.
void cf_withdraw_note(void);

#pragma GCC visibility pop

#endif
