// The modules' own definitions of functions.

#ifndef CT_DEFINITIONS_H
#define CT_DEFINITIONS_H

#include "CSymbols.h"

#pragma GCC visibility push(hidden)

/// Returns the address of the function that a module defines under a name; NULL where there is
/// none, or it is one of a copy of this library.
void *ct_defined_in(const struct link_map *module, const char *name);

/// Calls `visit` with each loaded module that has tables. Returns whether these were all; none is
/// visited while another thread visits them.
bool ct_visit_modules(void (*visit)(const struct link_map *module, const struct ct_tables *tables,
                                    void *context),
                      void *context);

#pragma GCC visibility pop

#endif
