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
    for (uint32_t i = 1; i < tables->hash[1]; i++) {
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

// The names of a function: that of C, and those of C++.
struct name {
  const char *function, *symbol;
  // The bytes of a character, where the name tells.
  int olechar_bytes;
};

static const struct name names[] = {
#define C_NAME(function) {#function, #function, 0},
    C_NAME(SysFreeString) C_NAME(SysAllocString) C_NAME(SysAllocStringLen)
    C_NAME(SysAllocStringByteLen) C_NAME(SysReAllocString) C_NAME(SysReAllocStringLen)
    C_NAME(SysStringLen) C_NAME(SysStringByteLen)
#define CXX_NAME(function, symbol, bytes) {#function, #symbol, bytes},
    CT_CXX_NAMES(CXX_NAME)
};
static const size_t name_count = sizeof names / sizeof *names;

static bool is_name_of(const struct name *name, const char *function) {
  return !function || strcmp(name->function, function) == 0;
}

// Returns the first name under which a module imports a function, or any where it is NULL: under
// which anything in it is to be set to the function's address. No table has undefined symbols by
// their names.
static const struct name *imported_name(const struct tables *tables, const char *function) {
  const struct name *first = NULL;
  for (int i = 0; i < 2; i++) {
    const ElfW(Rela) *relocation = tables->relocations[i].first;
    size_t count = relocation ? tables->relocations[i].bytes / sizeof *relocation : 0;
    for (; count > 0; count--, relocation++) {
      const ElfW(Sym) *symbol = &tables->symbols[ELF64_R_SYM(relocation->r_info)];
      const char *text = tables->strings + symbol->st_name;
      // Most symbols of a large program begin as these do, too, but few have an S behind that.
      if (symbol->st_shndx != SHN_UNDEF || (text[0] != 'S' && (text[0] != '_' || text[1] != 'Z')))
        continue;
      for (const struct name *name = names; name < (first ? first : names + name_count); name++)
        if (is_name_of(name, function) && strcmp(text, name->symbol) == 0) first = name;
    }
  }
  return first;
}

// Returns the first name under which a module defines a function, or any where it is NULL.
static const struct name *defined_name(const struct tables *tables, const char *function) {
  for (const struct name *name = names; name < names + name_count; name++)
    if (is_name_of(name, function) && look_up(tables, name->symbol)) return name;
  return NULL;
}

// Returns the name under which a module uses a function, or any where it is NULL; NULL where it uses
// none.
static const struct name *used_name(const struct tables *tables, const char *function) {
  const struct name *name = imported_name(tables, function);
  return name ? name : defined_name(tables, function);
}

// Returns a module's own definition of a function, under whatever name it has there.
static void *own_function(const struct link_map *module, const char *function) {
  struct tables tables;
  if (!read_tables(module, &tables)) return NULL;
  const struct name *name = defined_name(&tables, function);
  return name ? defined_in(module, name->symbol) : NULL;
}

static const struct name *name_used_at(uintptr_t address, const char *function) {
  const struct link_map *module = module_of(address);
  struct tables tables;
  return module && read_tables(module, &tables) ? used_name(&tables, function) : NULL;
}

void *ct_own_function(uintptr_t address, const char *function) {
  const struct link_map *module = module_of(address);
  return module ? own_function(module, function) : NULL;
}

bool ct_uses_functions(uintptr_t address) { return name_used_at(address, NULL) != NULL; }

int ct_named_olechar_bytes(uintptr_t address) {
  const struct name *name = name_used_at(address, NULL);
  return name ? name->olechar_bytes : 0;
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
    void *function = module ? own_function(module, "SysFreeString") : NULL;
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

void *ct_original_function(uintptr_t address, const char *function) {
  const struct link_map *caller = module_of(address);
  struct tables tables;
  const struct name *used = NULL;
  if (caller && read_tables(caller, &tables)) {
    const struct name *imported = imported_name(&tables, function);
    used = imported ? imported : defined_name(&tables, function);
    if (used) return original_definition(caller, used->symbol, imported != NULL);
  }
  // Code that calls through a pointer, or jumped here: it may be any of them.
  for (const struct name *name = names; name < names + name_count; name++) {
    void *found = is_name_of(name, function) ? original_definition(caller, name->symbol, false) : NULL;
    if (found) return found;
  }
  return NULL;
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
