// What copies.c knows of the modules that the program was started with, and of definitions.

#ifndef CT_COPIES_H
#define CT_COPIES_H

#include "definitions.h"

#pragma GCC visibility push(hidden)

/// The last of the modules that the program was started with; NULL where this library was loaded
/// later, so that others may have been, too.
extern const struct link_map *ct_last_initial_module;

/// Returns the definition of a symbol that comes first after this library's among those modules, or
/// else in `caller`; NULL where there is none.
void *ct_first_definition(const struct link_map *caller, const char *symbol);

/// The definitions of a symbol.
struct ct_definitions {
  const char *symbol;
  void *first;
  bool are_several;
};

/// Notes the definition of a module; `context` are the definitions.
void ct_note_definition(const struct link_map *module, const struct ct_tables *tables,
                        void *context);

#pragma GCC visibility pop

#endif
