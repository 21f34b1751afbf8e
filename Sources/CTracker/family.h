// The BSTR functions that a module has inside it, whatever their visibility: its family.

#ifndef CT_FAMILY_H
#define CT_FAMILY_H

#include "names.h"

#pragma GCC visibility push(hidden)

/// The limit of a module's functions that only read: static ones of several files have one name.
#define CT_MAX_READERS 16

/// The functions that a module defines, by the symbol table of its file, and by what was given.
struct ct_family {
  const struct link_map *module;
  /// The linkage of their names.
  enum ct_linkage linkage;
  struct {
    /// The entry; 0 where the module does not define the function, or it need not be replaced.
    uintptr_t address;
    uint32_t bytes;
  } functions[CT_FUNCTION_COUNT];
  /// The functions that only read a string, and stay: they must read this library's, too.
  struct {
    uintptr_t address;
    enum ct_function function;
  } readers[CT_MAX_READERS];
  uint32_t reader_count;
};

/// Returns whether a function only reads a string.
static inline bool ct_only_reads(enum ct_function function) {
  return function == CT_FUNCTION_SysStringLen || function == CT_FUNCTION_SysStringByteLen;
}

/// Adds a function that only reads, once. Returns false where there are too many.
bool ct_add_reader(struct ct_family *family, enum ct_function function, uintptr_t address);

/// The layout of a family's strings.
struct ct_family_layout {
  uint8_t olechar_bytes, payload_offset;
};

/// The bytes of the jump that replaces a function.
#define CT_JUMP_BYTES 5

/// Finds the family of a module in its file. What is found may be replaced: each function is as
/// long as the jump, has one symbol and no clone, and is the same in memory as in the file.
///
/// - Parameters:
///   - path: the file.
///   - only_given: whether only modules count in which functions were given.
/// - Returns: `CT_REPLACED`, or the reason for which none of them may be replaced.
enum ct_replacement ct_find_family(const struct link_map *module, const char *path,
                                   bool only_given, struct ct_family *family);

/// Returns the address at which the jump is written: behind an `endbr64`.
uintptr_t ct_jump_location(uintptr_t function);

/// Tries a family's functions out, in a child that shares no private memory with this process, and
/// whose end nobody is told of. They may crash, hang or come back to this library. Takes at most a
/// second.
///
/// Caller holds the recursion guard. No thread runs in the module.
///
/// - Parameter has_threads: whether the process has other threads.
/// - Returns: whether every function did what it does in a family of BSTRs, each string was given
///   to `free` 4 or 8 bytes in front of its characters, and those that only read a string read one
///   of this library's.
bool ct_try_family(const struct ct_family *family, bool has_threads,
                   struct ct_family_layout *layout);

#pragma GCC visibility pop

#endif
