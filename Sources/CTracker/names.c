// Looks for the names under which modules have and use the BSTR functions, and keeps them.

#include "names.h"

#include <string.h>

struct name {
  const char *symbol;
  enum ct_function function;
  enum ct_linkage linkage;
};

// By linkage, in its order.
static const struct name names[] = {
#define C_NAME(function) {#function, CT_FUNCTION_##function, CT_LINKAGE_C},
    CT_FUNCTIONS(C_NAME)
#define CXX_NAME(function, symbol, type) {#symbol, CT_FUNCTION_##function, CT_LINKAGE_##type},
    CT_CXX_NAMES(CXX_NAME)
};
static const size_t name_count = sizeof names / sizeof *names;

enum ct_function ct_function_named(const char *name) {
  static const char *const texts[] = {
#define TEXT(function) #function,
      CT_FUNCTIONS(TEXT)
  };
  for (int i = 0; i < CT_FUNCTION_COUNT; i++)
    if (strcmp(texts[i], name) == 0) return i;
  return CT_FUNCTION_COUNT;
}

static ct_names adding(ct_names used, const struct name *name, bool is_import) {
  used |= UINT64_C(1) << (CT_LINKAGES_SHIFT + name->linkage);
  enum ct_linkage known = ct_linkage_of(used, name->function);
  bool was_import = ct_is_imported(used, name->function);
  bool is_better = known == CT_LINKAGE_NONE || (is_import && !was_import) ||
                   (is_import == was_import && name->linkage < known);
  if (!is_better) return used;
  uint64_t bits = name->linkage | (is_import ? CT_IS_IMPORTED : 0);
  return (used & ~(UINT64_C(15) << 4 * name->function)) | bits << 4 * name->function;
}

static bool may_be_name(const char *text) {
  if (text[0] == '_' && text[1] == 'Z' && text[2] && text[3]) text += 4;
  return text[0] == 'S' && text[1] == 'y' && text[2] == 's';
}

ct_names ct_adding_definitions(ct_names used, const struct link_map *module,
                               const struct ct_tables *tables) {
  for (const struct name *name = names; name < names + name_count; name++) {
    const ElfW(Sym) *symbol = ct_look_up(tables, name->symbol);
    // The other names of a copy of this library are no overloads.
    if (symbol && (name->linkage == CT_LINKAGE_C ||
                   !ct_is_in_copy((void *)(module->l_addr + symbol->st_value))))
      used = adding(used, name, false);
  }
  return used;
}

static ct_names look_for_names(const struct link_map *module) {
  ct_names used = CT_NAMES_KNOWN;
  struct ct_tables tables;
  if (!ct_read_tables(module, &tables)) return used;
  // A module imports the undefined symbols that its relocations refer to. Hash tables have defined
  // symbols only.
  for (int i = 0; i < 2; i++) {
    const ElfW(Rela) *relocation = tables.relocations[i].first;
    size_t count = relocation ? tables.relocations[i].bytes / sizeof *relocation : 0;
    for (; count > 0; count--, relocation++) {
      const ElfW(Sym) *symbol = &tables.symbols[ELF64_R_SYM(relocation->r_info)];
      const char *text = tables.strings + symbol->st_name;
      if (symbol->st_shndx != SHN_UNDEF || !may_be_name(text)) continue;
      for (const struct name *name = names; name < names + name_count; name++)
        if (strcmp(text, name->symbol) == 0) used = adding(used, name, true);
    }
  }
  return ct_adding_definitions(used, module, &tables);
}

// The names of modules that were looked at, with the count of unloads: another module may come to
// the same address. The sequence is odd while the entry is written; a second writer leaves it.
static struct known_names {
  uint32_t sequence, unloads;
  uintptr_t module;
  ct_names used;
} known_names[1024];

ct_names ct_names_of(const struct link_map *module) {
  if (!module) return CT_NAMES_KNOWN;
  uintptr_t key = (uintptr_t)module->l_ld;
  struct known_names *known = &known_names[((key >> 4) ^ (key >> 20)) % 1024];
  uint32_t unloads = __atomic_load_n(&ct_unloads, __ATOMIC_ACQUIRE);
  uint32_t sequence = __atomic_load_n(&known->sequence, __ATOMIC_ACQUIRE);
  if (sequence % 2 == 0 && !ct_are_unloads_unseen &&
      __atomic_load_n(&known->module, __ATOMIC_RELAXED) == key &&
      __atomic_load_n(&known->unloads, __ATOMIC_RELAXED) == unloads) {
    ct_names used = __atomic_load_n(&known->used, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&known->sequence, __ATOMIC_RELAXED) == sequence) return used;
  }
  ct_names found = look_for_names(module);
  if (sequence % 2 == 0 &&
      __atomic_compare_exchange_n(&known->sequence, &sequence, sequence + 1, false,
                                  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&known->module, key, __ATOMIC_RELAXED);
    __atomic_store_n(&known->unloads, unloads, __ATOMIC_RELAXED);
    __atomic_store_n(&known->used, found, __ATOMIC_RELAXED);
    __atomic_store_n(&known->sequence, sequence + 2, __ATOMIC_RELEASE);
  }
  return found;
}

bool ct_find_name(const char *symbol, enum ct_function *function, enum ct_linkage *linkage) {
  if (!may_be_name(symbol)) return false;
  for (const struct name *name = names; name < names + name_count; name++) {
    if (strcmp(symbol, name->symbol) != 0) continue;
    *function = name->function;
    *linkage = name->linkage;
    return true;
  }
  return false;
}

const char *ct_symbol_of(enum ct_function function, enum ct_linkage linkage) {
  for (const struct name *name = names; name < names + name_count; name++)
    if (name->function == function && name->linkage == linkage) return name->symbol;
  return NULL;
}
