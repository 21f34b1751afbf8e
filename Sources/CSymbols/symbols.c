// Reads the dynamic symbols of modules in their own memory: a call may come while another thread
// holds the loader's lock and waits for the caller.

#define _GNU_SOURCE
#include "CSymbols.h"

#include <dlfcn.h>
#include <string.h>

const struct link_map *ct_module_of(uintptr_t address) {
  struct dl_find_object found;
  return _dl_find_object((void *)address, &found) == 0 ? found.dlfo_link_map : NULL;
}

// Returns an address of a dynamic entry; NULL where it is in no memory of the module. The loader
// relocates these in place, but not those of modules whose dynamic section it cannot write to.
static const void *address_of(const struct link_map *module, const ElfW(Dyn) *entry) {
  uintptr_t address = entry->d_un.d_ptr;
  if (ct_module_of(address) != module) address += module->l_addr;
  return ct_module_of(address) == module ? (const void *)address : NULL;
}

bool ct_read_tables(const struct link_map *module, struct ct_tables *tables) {
  *tables = (struct ct_tables){0};
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
  struct ct_tables tables;
  if (!ct_read_tables(module, &tables)) return NULL;
  for (const ElfW(Dyn) *entry = module->l_ld; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == DT_NEEDED && index-- == 0) return tables.strings + entry->d_un.d_val;
  return NULL;
}

static bool is_definition(const ElfW(Sym) *symbol) {
  return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
         ELF64_ST_TYPE(symbol->st_info) == STT_FUNC;
}

const ElfW(Sym) *ct_look_up(const struct ct_tables *tables, const char *name) {
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
