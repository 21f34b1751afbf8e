/// \file CPreload.h
/// The moments at which the preloaded tracker is called: when the process starts and ends, `_exit`
/// and `_Exit` included. What to do then is said by the Swift functions declared here.

#ifndef BSTRTRACE_CPRELOAD_H
#define BSTRTRACE_CPRELOAD_H

/// Called once, before the program's own constructors.
void bstrtrace_preload_started(void);

/// Called when the program's own destructors have run.
void bstrtrace_preload_ending(void);

/// Called before a `_exit` or `_Exit` of the program, with its status.
void bstrtrace_preload_exiting(int status);

#endif
