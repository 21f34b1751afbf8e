// The note of a process that does not need the tracker.

#ifndef CF_UNTRACED_H
#define CF_UNTRACED_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/// Leaves a note in a run's folder of stores, unless there is one of this executable. Called when
/// the process starts. One that is the run's own child, or has become another program, leaves a
/// note in any case: its end matters.
void cf_note_untraced(const char *folder, bool is_own, int count, char **arguments);

/// Removes the note that this process has left: it needs the tracker after all.
void cf_withdraw_note(void);

#pragma GCC visibility pop

#endif
