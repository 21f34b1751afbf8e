// The functions that are given by their address in a module: by hand, or by its debug file.

#ifndef CT_GIVEN_H
#define CT_GIVEN_H

#include "family.h"

#pragma GCC visibility push(hidden)

/// A loaded module and its file.
struct ct_loaded_file {
  const struct link_map *module;
  /// A path that leads to the file.
  const char *path;
  /// Its program headers.
  const ElfW(Phdr) *segments;
  int segment_count;
};

/// Returns the executable segment of which the file has an address; NULL where there is none.
const ElfW(Phdr) *ct_code_segment(const struct ct_loaded_file *file, ElfW(Addr) value);

/// Returns whether functions were given in a module.
bool ct_has_given(const struct ct_loaded_file *file);

/// Adds the functions that were given in a module to its family.
///
/// - Returns: `CT_REPLACED`, or the reason for which none of the family may be replaced.
enum ct_replacement ct_add_given(const struct ct_loaded_file *file, struct ct_family *family);

#pragma GCC visibility pop

#endif
