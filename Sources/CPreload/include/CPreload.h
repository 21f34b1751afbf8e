/// \file CPreload.h
/// The calls of the preloaded tracker: when the process starts and ends, `_exit` and `_Exit`
/// included. BSTRPreload implements the functions declared here.

#ifndef BSTRTRACE_CPRELOAD_H
#define BSTRTRACE_CPRELOAD_H

#pragma GCC visibility push(hidden)

/// Starts the tracker. Called once, before the program's own constructors.
void bstrtrace_preload_started(void);

/// Records the end of the process. Called when the program's own destructors have run.
void bstrtrace_preload_ending(void);

/// Records an immediate exit. Called before a `_exit` or `_Exit` of the program, with its status.
void bstrtrace_preload_exiting(int status);

#pragma GCC visibility pop

#endif
