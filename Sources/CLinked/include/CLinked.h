/// \file CLinked.h
/// The calls of the linked tracker when its program starts and ends: from constructors and
/// destructors, which Swift cannot declare. BSTRLinked implements the functions declared here.

#ifndef BSTRTRACE_CLINKED_H
#define BSTRTRACE_CLINKED_H

/// Starts the tracker. Called before the program's own constructors.
void bstrtrace_linked_started(void);

/// Records the end of the process and reports. Called after the program's own destructors.
void bstrtrace_linked_ending(void);

#endif
