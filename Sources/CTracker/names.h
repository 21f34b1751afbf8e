// The names under which modules have and use the BSTR functions: C's, and those of C++
// (CxxNames.h).

#ifndef CT_NAMES_H
#define CT_NAMES_H

#include "CTracker.h"
#include "CxxNames.h"
#include "CSymbols.h"

#pragma GCC visibility push(hidden)

/// The linkage of a name: C's, or C++'s with the type of a character. Of the names of one function
/// the first that a module has counts.
enum ct_linkage {
  CT_LINKAGE_NONE,
  CT_LINKAGE_C,
  CT_LINKAGE_w,
  CT_LINKAGE_Ds,
  CT_LINKAGE_t,
  /// C++'s where there is no character in the name.
  CT_LINKAGE_c
};

#define CT_FUNCTIONS(FUNCTION)                                                                     \
  FUNCTION(SysFreeString)                                                                          \
  FUNCTION(SysAllocString)                                                                         \
  FUNCTION(SysAllocStringLen)                                                                      \
  FUNCTION(SysAllocStringByteLen)                                                                  \
  FUNCTION(SysReAllocString)                                                                       \
  FUNCTION(SysReAllocStringLen)                                                                    \
  FUNCTION(SysStringLen)                                                                           \
  FUNCTION(SysStringByteLen)                                                                       \
  FUNCTION(SysAddRefString)                                                                        \
  FUNCTION(SysReleaseString)

enum ct_function {
#define ENUMERATOR(function) CT_FUNCTION_##function,
  CT_FUNCTIONS(ENUMERATOR) CT_FUNCTION_COUNT
};

/// The names under which a module imports or defines the functions, in one word: 4 bits for each
/// function, the linkage and whether it is imported; the set of linkages; and that the word is known.
typedef uint64_t ct_names;
enum { CT_LINKAGES_SHIFT = 4 * CT_FUNCTION_COUNT, CT_IS_IMPORTED = 8 };
#define CT_NAMES_KNOWN (UINT64_C(1) << 63)
_Static_assert(CT_LINKAGES_SHIFT + CT_LINKAGE_c < 63, "a word has room for all functions");

static inline enum ct_linkage ct_linkage_of(ct_names used, enum ct_function function) {
  return used >> 4 * function & (CT_IS_IMPORTED - 1);
}
static inline bool ct_is_imported(ct_names used, enum ct_function function) {
  return used >> 4 * function & CT_IS_IMPORTED;
}

/// Whether a module has functions of one name for characters of different types: overloads, which
/// are functions of their own.
static inline bool ct_has_overloads(ct_names used) {
  uint64_t linkages = used >> CT_LINKAGES_SHIFT & ((1 << CT_LINKAGE_c) - 1);
  return (linkages & (linkages - 1)) != 0;
}

/// Returns the names under which a module imports or defines the functions; none of NULL. They are
/// kept: the first look reads all that the module imports.
ct_names ct_names_of(const struct link_map *module);

/// Returns `names` with those under which a module defines the functions.
ct_names ct_adding_definitions(ct_names names, const struct link_map *module,
                               const struct ct_tables *tables);

/// Returns the function with a C name; `CT_FUNCTION_COUNT` where there is none.
enum ct_function ct_function_named(const char *name);

/// Finds the function and the linkage of a name. Returns false where it is no function's.
bool ct_find_name(const char *symbol, enum ct_function *function, enum ct_linkage *linkage);

/// Returns the name of a function in a linkage; NULL where it has none.
const char *ct_symbol_of(enum ct_function function, enum ct_linkage linkage);

#pragma GCC visibility pop

#endif
