// The entries by which replaced functions come to this library.

#ifndef CT_REPLACE_H
#define CT_REPLACE_H

#include "family.h"

#pragma GCC visibility push(hidden)

/// The entries: one for each function and layout.
#define CT_ENTRIES (CT_FUNCTION_COUNT * 4)
#define CT_ENTRY_BYTES 16
extern const uint8_t ct_entries[];

/// Returns the index of a layout among the four.
static inline int ct_entry_layout(struct ct_family_layout layout) {
  return (layout.olechar_bytes == 4 ? 1 : 0) | (layout.payload_offset == 4 ? 2 : 0);
}

/// Returns the index of the entry of a function in a layout.
static inline int ct_entry(enum ct_function function, int layout) { return function * 4 + layout; }

/// Finds the family of a loaded module; see `ct_find_family`.
enum ct_replacement ct_family_of(const struct link_map *module, struct ct_family *family);

/// Tries a family out and replaces it.
///
/// Caller holds the recursion guard.
///
/// - Parameter is_being_opened: whether the loader opens the module just now, so that no other
///   thread can be in it.
/// - Returns: `CT_REPLACED`, with the layout, or the reason for which nothing was changed.
enum ct_replacement ct_replace_family(const struct ct_family *family, bool is_being_opened,
                                      struct ct_family_layout *layout);

/// Replaces a function outside of families. No thread runs in its first bytes.
bool ct_write_jump(uintptr_t function, uintptr_t target);

/// Has the loader tell this library when it opens modules: their families are replaced, too.
/// Returns false where the loader is another one than those that are known, or a debugger stops
/// there.
bool ct_watch_loader(void);

/// Notes what became of a family.
void ct_note_replacement(const struct ct_family *family, enum ct_replacement replacement,
                         struct ct_family_layout layout);

/// Returns whether the loader has a module in its list. Caller holds the loader's lock, here and
/// below.
bool ct_is_listed(const struct link_map *module);

/// Forgets the families of modules that are no longer loaded.
void ct_forget_closed_families(void);

/// Returns whether the entries can keep all registers of this processor. Called before they are
/// used.
bool ct_can_keep_registers(void);

#pragma GCC visibility pop

#endif
