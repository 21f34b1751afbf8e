// Finds the copy of the BSTR functions that code would reach without this library. Reads dynamic
// symbols in the modules' own memory: a call may come while another thread holds the loader's lock
// and waits for the caller.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

#include "CTracker.h"
#include "CxxNames.h"

struct tables {
  const ElfW(Sym) *symbols;
  const char *strings;
  const uint32_t *gnu_hash, *hash;
  // Those of calls, which are bound late, and the others.
  struct {
    const ElfW(Rela) *first;
    size_t bytes;
  } relocations[2];
};

static const struct link_map *module_of(uintptr_t address) {
  struct dl_find_object found;
  return _dl_find_object((void *)address, &found) == 0 ? found.dlfo_link_map : NULL;
}

// Returns an address of a dynamic entry; NULL where it is in no memory of the module. The loader
// relocates these in place, but not those of modules whose dynamic section it cannot write to.
static const void *address_of(const struct link_map *module, const ElfW(Dyn) *entry) {
  uintptr_t address = entry->d_un.d_ptr;
  if (module_of(address) != module) address += module->l_addr;
  return module_of(address) == module ? (const void *)address : NULL;
}

static bool read_tables(const struct link_map *module, struct tables *tables) {
  *tables = (struct tables){0};
  if (!module || !module->l_ld) return false;
  for (const ElfW(Dyn) *entry = module->l_ld; entry->d_tag != DT_NULL; entry++) {
    switch (entry->d_tag) {
    case DT_SYMTAB: tables->symbols = address_of(module, entry); break;
    case DT_STRTAB: tables->strings = address_of(module, entry); break;
    case DT_GNU_HASH: tables->gnu_hash = address_of(module, entry); break;
    case DT_HASH: tables->hash = address_of(module, entry); break;
    case DT_JMPREL: tables->relocations[0].first = address_of(module, entry); break;
    case DT_PLTRELSZ: tables->relocations[0].bytes = entry->d_un.d_val; break;
    case DT_RELA: tables->relocations[1].first = address_of(module, entry); break;
    case DT_RELASZ: tables->relocations[1].bytes = entry->d_un.d_val; break;
    }
  }
  return tables->symbols && tables->strings && (tables->gnu_hash || tables->hash);
}

const char *ct_needed_name(const struct link_map *module, size_t index) {
  struct tables tables;
  if (!read_tables(module, &tables)) return NULL;
  for (const ElfW(Dyn) *entry = module->l_ld; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == DT_NEEDED && index-- == 0) return tables.strings + entry->d_un.d_val;
  return NULL;
}

static bool is_definition(const ElfW(Sym) *symbol) {
  return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
         ELF64_ST_TYPE(symbol->st_info) == STT_FUNC;
}

static const ElfW(Sym) *look_up(const struct tables *tables, const char *name) {
  if (!tables->gnu_hash) {
    uint32_t hash = 0;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
      hash = (hash << 4) + *c;
      hash = (hash ^ (hash >> 24 & 0xF0)) & 0x0FFFFFFF;
    }
    uint32_t count = tables->hash[0], all = tables->hash[1];
    if (count == 0) return NULL;
    uint32_t steps = 0;
    for (uint32_t i = tables->hash[2 + hash % count]; i != 0 && i < all && steps++ < all;
         i = tables->hash[2 + count + i]) {
      const ElfW(Sym) *symbol = &tables->symbols[i];
      if (is_definition(symbol) && strcmp(tables->strings + symbol->st_name, name) == 0)
        return symbol;
    }
    return NULL;
  }
  uint32_t hash = 5381;
  for (const unsigned char *c = (const unsigned char *)name; *c; c++) hash = hash * 33 + *c;
  uint32_t count = tables->gnu_hash[0], first = tables->gnu_hash[1];
  const uint32_t *buckets =
      tables->gnu_hash + 4 + tables->gnu_hash[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
  const uint32_t *chain = buckets + count;
  if (count == 0) return NULL;
  for (uint32_t i = buckets[hash % count]; i >= first && i != 0; i++) {
    const ElfW(Sym) *symbol = &tables->symbols[i];
    if ((chain[i - first] | 1) == (hash | 1) && is_definition(symbol) &&
        strcmp(tables->strings + symbol->st_name, name) == 0)
      return symbol;
    if (chain[i - first] & 1) break;
  }
  return NULL;
}

static void *defined_in(const struct link_map *module, const char *name) {
  struct tables tables;
  if (!read_tables(module, &tables)) return NULL;
  const ElfW(Sym) *symbol = look_up(&tables, name);
  void *function = symbol ? (void *)(module->l_addr + symbol->st_value) : NULL;
  return function && !ct_is_in_copy(function) ? function : NULL;
}

// MARK: the names that modules use

// The linkage of a name: C's, or C++'s with the type of a character. Of the names of one function
// the first that a module has counts.
enum linkage { LINKAGE_NONE, LINKAGE_C, LINKAGE_w, LINKAGE_Ds, LINKAGE_t, LINKAGE_c };

#define FUNCTIONS(FUNCTION)                                                                        \
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

enum function {
#define ENUMERATOR(function) FUNCTION_##function,
  FUNCTIONS(ENUMERATOR) FUNCTION_COUNT
};

struct name {
  const char *symbol;
  enum function function;
  enum linkage linkage;
};

// By linkage, in its order.
static const struct name names[] = {
#define C_NAME(function) {#function, FUNCTION_##function, LINKAGE_C},
    FUNCTIONS(C_NAME)
#define CXX_NAME(function, symbol, type) {#symbol, FUNCTION_##function, LINKAGE_##type},
    CT_CXX_NAMES(CXX_NAME)
};
static const size_t name_count = sizeof names / sizeof *names;

static enum function function_named(const char *name) {
  static const char *const texts[] = {
#define TEXT(function) #function,
      FUNCTIONS(TEXT)
  };
  for (int i = 0; i < FUNCTION_COUNT; i++)
    if (strcmp(texts[i], name) == 0) return i;
  return FUNCTION_COUNT;
}

// The names under which a module uses the functions, in one word: 4 bits for each function, the
// linkage and whether it is imported; the set of linkages; and that the word is known.
typedef uint64_t names_used;
enum { LINKAGES_SHIFT = 4 * FUNCTION_COUNT, IS_IMPORTED = 8 };
#define IS_KNOWN (UINT64_C(1) << 63)
_Static_assert(LINKAGES_SHIFT + LINKAGE_c < 63, "a word has room for all functions");

static enum linkage linkage_of(names_used used, enum function function) {
  return used >> 4 * function & (IS_IMPORTED - 1);
}
static bool is_imported(names_used used, enum function function) {
  return used >> 4 * function & IS_IMPORTED;
}

// Whether a module has functions of one name for characters of different types: overloads, which
// are functions of their own.
static bool has_overloads(names_used used) {
  uint64_t linkages = used >> LINKAGES_SHIFT & ((1 << LINKAGE_c) - 1);
  return (linkages & (linkages - 1)) != 0;
}

static names_used adding(names_used used, const struct name *name, bool is_import) {
  used |= UINT64_C(1) << (LINKAGES_SHIFT + name->linkage);
  enum linkage known = linkage_of(used, name->function);
  bool is_better = known == LINKAGE_NONE || (is_import && !is_imported(used, name->function)) ||
                  (is_import == is_imported(used, name->function) && name->linkage < known);
  if (!is_better) return used;
  uint64_t bits = name->linkage | (is_import ? IS_IMPORTED : 0);
  return (used & ~(UINT64_C(15) << 4 * name->function)) | bits << 4 * name->function;
}

static bool may_be_name(const char *text) {
  if (text[0] == '_' && text[1] == 'Z' && text[2] && text[3]) text += 4;
  return text[0] == 'S' && text[1] == 'y' && text[2] == 's';
}

static names_used adding_definitions(names_used used, const struct link_map *module,
                                     const struct tables *tables) {
  for (const struct name *name = names; name < names + name_count; name++) {
    const ElfW(Sym) *symbol = look_up(tables, name->symbol);
    // The other names of a copy of this library are no overloads.
    if (symbol && (name->linkage == LINKAGE_C ||
                   !ct_is_in_copy((void *)(module->l_addr + symbol->st_value))))
      used = adding(used, name, false);
  }
  return used;
}

static names_used look_for_names(const struct link_map *module) {
  names_used used = IS_KNOWN;
  struct tables tables;
  if (!read_tables(module, &tables)) return used;
  // What a module imports is what is to be set to the address of something undefined. No table has
  // undefined symbols by their names.
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
  return adding_definitions(used, module, &tables);
}

// The names of modules that were looked at. Odd while it is written; a second writer leaves it. With
// the count of unloads: another module may come to the same address.
static struct known_names {
  uint32_t sequence, unloads;
  uintptr_t module;
  names_used used;
} known_names[1024];

static names_used names_of(const struct link_map *module) {
  if (!module) return IS_KNOWN;
  uintptr_t key = (uintptr_t)module->l_ld;
  struct known_names *known = &known_names[((key >> 4) ^ (key >> 20)) % 1024];
  uint32_t unloads = __atomic_load_n(&ct_unloads, __ATOMIC_ACQUIRE);
  uint32_t sequence = __atomic_load_n(&known->sequence, __ATOMIC_ACQUIRE);
  if (sequence % 2 == 0 && !ct_are_unloads_unseen &&
      __atomic_load_n(&known->module, __ATOMIC_RELAXED) == key &&
      __atomic_load_n(&known->unloads, __ATOMIC_RELAXED) == unloads) {
    names_used used = __atomic_load_n(&known->used, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&known->sequence, __ATOMIC_RELAXED) == sequence) return used;
  }
  names_used found = look_for_names(module);
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

static const char *symbol_of(enum function function, enum linkage linkage) {
  for (const struct name *name = names; name < names + name_count; name++)
    if (name->function == function && name->linkage == linkage) return name->symbol;
  return NULL;
}

// Returns a module's own definition of a function, under whatever name it has there.
static void *own_function(const struct link_map *module, enum function function) {
  for (enum linkage linkage = LINKAGE_C; linkage <= LINKAGE_c; linkage++) {
    const char *symbol = symbol_of(function, linkage);
    void *found = symbol ? defined_in(module, symbol) : NULL;
    if (found) return found;
  }
  return NULL;
}

void *ct_function_of_copy(uintptr_t copy, const char *text) {
  const struct link_map *module = module_of(copy);
  if (!module) return NULL;
  enum function function = function_named(text);
  for (enum linkage linkage = LINKAGE_C; linkage < LINKAGE_c; linkage++) {
    void *free = defined_in(module, symbol_of(FUNCTION_SysFreeString, linkage));
    if ((uintptr_t)free != copy) continue;
    const char *symbol = symbol_of(function, linkage);
    // The name of this one has no character in it.
    if (!symbol && linkage != LINKAGE_C) symbol = symbol_of(function, LINKAGE_c);
    return symbol ? defined_in(module, symbol) : NULL;
  }
  return NULL;
}

bool ct_uses_functions(uintptr_t address) {
  return (names_of(module_of(address)) & ~IS_KNOWN) != 0;
}

int ct_named_olechar_bytes(uintptr_t address) {
  names_used used = names_of(module_of(address));
  if (has_overloads(used)) return 0;
  uint64_t linkages = used >> LINKAGES_SHIFT;
  if (linkages & 1 << LINKAGE_w) return 4;
  return linkages & (1 << LINKAGE_Ds | 1 << LINKAGE_t) ? 2 : 0;
}

// The SysFreeString of the only module that defines one, and whether several do.
struct sole {
  uintptr_t function;
  bool is_ambiguous;
};

static int find_sole_copy(struct dl_phdr_info *info, size_t bytes, void *context) {
  (void)bytes;
  struct sole *sole = context;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
    const struct link_map *module = module_of(info->dlpi_addr + segment->p_vaddr);
    void *function = module ? own_function(module, FUNCTION_SysFreeString) : NULL;
    if (function && sole->function && sole->function != (uintptr_t)function)
      sole->is_ambiguous = true;
    if (function) sole->function = (uintptr_t)function;
    break;
  }
  return sole->is_ambiguous;
}

static struct sole look_for_copies(void) {
  struct sole sole = {0};
  dl_iterate_phdr(find_sole_copy, &sole);
  return sole;
}

uintptr_t ct_only_copy(void) {
  struct sole sole = look_for_copies();
  return sole.is_ambiguous ? 0 : sole.function;
}

// The last of the modules that the program was started with; NULL where this library was loaded
// later, so that others may have been, too.
static const struct link_map *last_initial;
static const struct link_map *own;

// Runs after `note_whether_unloads_are_seen`.
__attribute__((constructor(102))) static void note_initial(void) {
  own = module_of((uintptr_t)&note_initial);
  if (!own || ct_are_unloads_unseen) return;
  const struct link_map *last = _r_debug.r_map;
  bool is_listed = false;
  for (const struct link_map *module = last; module; module = module->l_next) {
    is_listed |= module == own;
    last = module;
  }
  // In a namespace of its own it is in a list of its own.
  if (!last || !is_listed) return;
  // A constructor that ran before may have opened it, and close it: it stays, for it is compared with.
  if (last->l_name[0]) dlopen(last->l_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  last_initial = last;
  if (!look_for_copies().is_ambiguous) ct_tell_pages_apart(last);
}

// Calls `visit` with each module that is loaded, without the loader's locks. Returns whether these
// were all; none is visited while another thread visits them.
static bool visit_modules(void (*visit)(const struct link_map *module, const struct tables *tables,
                                        void *context),
                          void *context) {
  // Not on the stack, of which the program may have little here.
  static struct ct_modules modules;
  static bool is_busy;
  if (__atomic_exchange_n(&is_busy, true, __ATOMIC_ACQUIRE)) return false;
  ct_begin_modules(&modules, NULL);
  while (ct_next_module(&modules)) {
    const struct link_map *module = module_of(modules.module.start);
    struct tables tables;
    if (module && read_tables(module, &tables)) visit(module, &tables, context);
  }
  bool is_all = ct_end_modules(&modules);
  __atomic_store_n(&is_busy, false, __ATOMIC_RELEASE);
  return is_all;
}

struct definitions {
  const char *symbol;
  void *first;
  bool are_several;
};

static void note_definition(const struct link_map *module, const struct tables *tables,
                            void *context) {
  struct definitions *found = context;
  if (!look_up(tables, found->symbol)) return;
  void *definition = defined_in(module, found->symbol);
  if (definition && found->first) found->are_several = true;
  else if (definition) found->first = definition;
}

// Returns the definition of a symbol that a module reaches without this library.
static void *original_definition(const struct link_map *caller, const char *name,
                                 bool is_imported) {
  void *found = NULL;
  // The global scope comes first, as for the loader; calls of a module that is bound to itself do
  // not come here.
  if (last_initial) {
    const struct link_map *module = own;
    while (!found && module != last_initial && (module = module->l_next) != NULL)
      found = defined_in(module, name);
  } else {
    found = dlsym(RTLD_NEXT, name);
    if (found && ct_is_in_copy(found)) found = NULL;
  }
  if (!found && caller) found = defined_in(caller, name);
  if (found || !is_imported) return found;
  // Where one module in all defines it, or none, the loader has no other answer. It is not asked then:
  // a thread that holds its lock may wait for this one, and its last error text may be wanted yet.
  struct definitions all = {.symbol = name};
  if (visit_modules(note_definition, &all) && !all.are_several) return all.first;
  // Only the loader knows the modules that this one needs, and those opened RTLD_GLOBAL.
  found = dlsym(RTLD_NEXT, name);
  if ((!found || ct_is_in_copy(found)) && caller->l_name[0] != 0) {
    void *handle = dlopen(caller->l_name, RTLD_LAZY | RTLD_NOLOAD);
    if (handle) {
      found = dlsym(handle, name);
      // The handle came from RTLD_NOLOAD, so this drops a reference and unloads nothing.
      ct_drop_handle(handle);
    }
  }
  return found && !ct_is_in_copy(found) ? found : NULL;
}

void *ct_original_function(uintptr_t address, const char *text) {
  const struct link_map *caller = module_of(address);
  enum function function = function_named(text);
  names_used used = names_of(caller);
  if (linkage_of(used, function))
    return original_definition(caller, symbol_of(function, linkage_of(used, function)),
                               is_imported(used, function));
  // Code that calls through a pointer, or jumped here: it may be any of them.
  for (enum linkage linkage = LINKAGE_C; linkage <= LINKAGE_c; linkage++) {
    const char *symbol = symbol_of(function, linkage);
    void *found = symbol ? original_definition(caller, symbol, false) : NULL;
    if (found) return found;
  }
  return NULL;
}

// Whether a module with overloads was met: then no C++ name is this library's any more, for nobody,
// so that what a function of the program made comes back to the program's functions.
static bool has_met_overloads;
static bool are_initial_modules_known;

struct overloads {
  struct definitions definitions;
  bool are_some;
};

static void note_overloads(const struct link_map *module, const struct tables *tables,
                           void *context) {
  struct overloads *found = context;
  found->are_some |= has_overloads(adding_definitions(IS_KNOWN, module, tables));
  note_definition(module, tables, &found->definitions);
}

// Looks for modules with overloads, and for the definition that calls by a C++ name reach. Takes none
// of the loader's locks. Returns whether all modules could be looked at.
static bool look_for_overloads(const struct link_map *caller, const char *symbol,
                               void **definition) {
  bool has_overloads_here = has_overloads(names_of(caller));
  void *first = NULL;
  // What was there at the start, by imports, too; and later ones by what they define.
  if (last_initial && !__atomic_load_n(&are_initial_modules_known, __ATOMIC_ACQUIRE)) {
    for (const struct link_map *module = _r_debug.r_map; module; module = module->l_next) {
      has_overloads_here |= has_overloads(names_of(module));
      if (module == last_initial) break;
    }
    __atomic_store_n(&are_initial_modules_known, true, __ATOMIC_RELEASE);
  }
  if (last_initial)
    for (const struct link_map *module = own; !first && module != last_initial;) {
      module = module->l_next;
      if (!module) break;
      first = defined_in(module, symbol);
    }
  if (!first && caller) first = defined_in(caller, symbol);
  struct overloads found = {.definitions = {.symbol = symbol}};
  bool is_all = visit_modules(note_overloads, &found);
  *definition = first ? first : found.definitions.first;
  if ((has_overloads_here || found.are_some) && !__atomic_exchange_n(&has_met_overloads, true, __ATOMIC_ACQ_REL))
    ct_forget_layouts();
  return is_all;
}

void *ct_alias_target(const struct ct_alias *alias, uintptr_t return_address) {
  uint64_t page = return_address >> 12, number = (uintptr_t)alias >> 3;
  uint64_t key = page << 12 | (number & 0xFFF);
  struct ct_alias_page *kept = &ct_alias_pages[(page + number) % CT_ALIAS_PAGES];
  // The key is stored with the target in it, so that two writers cannot mix their words.
  uint64_t target = __atomic_load_n(&kept->target, __ATOMIC_RELAXED);
  if (__builtin_expect((__atomic_load_n(&kept->key, __ATOMIC_RELAXED) ^ target) == key, 1))
    return (void *)(uintptr_t)target;
  const struct link_map *caller = module_of(return_address);
  void *definition = NULL;
  bool is_all = look_for_overloads(caller, alias->symbol, &definition);
  target = (uintptr_t)alias->function;
  if (definition && __atomic_load_n(&has_met_overloads, __ATOMIC_ACQUIRE))
    target = (uintptr_t)definition;
  if (is_all && caller && !ct_are_unloads_unseen) {
    __atomic_store_n(&kept->key, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&kept->target, target, __ATOMIC_RELAXED);
    __atomic_store_n(&kept->key, key ^ target, __ATOMIC_RELAXED);
  }
  return (void *)(uintptr_t)target;
}

#if defined(__x86_64__)

static bool is_code(uintptr_t address, size_t bytes) {
  // A call that starts on another page than its return address is rare, and that page need not be
  // mapped.
  return (address & 4095) <= 4096 - bytes || ct_is_readable(address, bytes);
}

static int32_t displacement(uintptr_t address) {
  int32_t value;
  memcpy(&value, (const void *)address, sizeof value);
  return value;
}

// Returns the content of an entry of a module's global offset table.
static uintptr_t slot(uintptr_t address) {
  return ct_is_readable(address, 8) ? *(const uintptr_t *)address : 0;
}

uintptr_t ct_called_function(uintptr_t return_address) {
  uintptr_t call = return_address - 6;
  if (return_address < 4096 || !module_of(return_address) || !is_code(call, 6)) return 0;
  const uint8_t *code = (const uint8_t *)call;
  // call *displacement(%rip)
  if (code[0] == 0xFF && code[1] == 0x15) return slot(return_address + displacement(call + 2));
  // call displacement
  if (code[1] != 0xE8) return 0;
  uintptr_t target = return_address + displacement(call + 2);
  if (!module_of(target) || !ct_is_readable(target, 16)) return 0;
  // An entry of the linkage table: [endbr64,] [bnd] jmp *displacement(%rip)
  uintptr_t entry = target;
  static const uint8_t endbr64[] = {0xF3, 0x0F, 0x1E, 0xFA};
  if (memcmp((const void *)entry, endbr64, sizeof endbr64) == 0) entry += sizeof endbr64;
  if (*(const uint8_t *)entry == 0xF2) entry++;
  const uint8_t *jump = (const uint8_t *)entry;
  if (jump[0] == 0xFF && jump[1] == 0x25) return slot(entry + 6 + displacement(entry + 2));
  return target;
}

const bool ct_decodes_calls = true;

#else

const bool ct_decodes_calls = false;

uintptr_t ct_called_function(uintptr_t return_address) { return (void)return_address, 0; }

#endif
