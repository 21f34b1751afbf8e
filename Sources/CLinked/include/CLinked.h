/// \file CLinked.h
/// When a program that is linked with the library starts and ends: constructors and destructors,
/// which Swift cannot write. What happens then is Swift.

#ifndef BSTRTRACE_CLINKED_H
#define BSTRTRACE_CLINKED_H

/// Called before the program's own constructors.
void bstrtrace_linked_started(void);

/// Called after the program's own destructors.
void bstrtrace_linked_ending(void);

#endif
