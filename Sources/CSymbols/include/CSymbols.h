/// \file CSymbols.h
/// The dynamic symbols of loaded modules, in the modules' own memory.

#ifndef BSTRTRACE_CSYMBOLS_H
#define BSTRTRACE_CSYMBOLS_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/// The tables of a module.
struct ct_tables {
  const ElfW(Sym) *symbols;
  const char *strings;
  const uint32_t *gnu_hash, *hash;
  /// Those of calls, which are bound late, and the others.
  struct {
    const ElfW(Rela) *first;
    size_t bytes;
  } relocations[2];
};

/// Returns the module that `address` is in, or NULL. Takes no lock, here and below.
const struct link_map *ct_module_of(uintptr_t address);

/// Reads where a module's tables are. Returns false where it has none.
bool ct_read_tables(const struct link_map *module, struct ct_tables *tables);

/// Returns the name of a module that this one needs, by its place among them; NULL behind the last.
const char *ct_needed_name(const struct link_map *module, size_t index);

/// Returns the function that a module defines under a name; NULL where there is none.
const ElfW(Sym) *ct_look_up(const struct ct_tables *tables, const char *name);

#pragma GCC visibility pop

#endif
