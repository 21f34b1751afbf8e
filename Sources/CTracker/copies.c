// Finds the copy of the BSTR functions that code would reach without this library.

#define _GNU_SOURCE
#include "copies.h"

#include <dlfcn.h>

#include "CTracker.h"
#include "names.h"

// Returns a module's own definition of a function, under whatever name it has there.
static void *own_function(const struct link_map *module, enum ct_function function) {
  for (enum ct_linkage linkage = CT_LINKAGE_C; linkage <= CT_LINKAGE_c; linkage++) {
    const char *symbol = ct_symbol_of(function, linkage);
    void *found = symbol ? ct_defined_in(module, symbol) : NULL;
    if (found) return found;
  }
  return NULL;
}

void *ct_function_of_copy(uintptr_t copy, const char *text) {
  const struct link_map *module = ct_module_of(copy);
  if (!module) return NULL;
  enum ct_function function = ct_function_named(text);
  for (enum ct_linkage linkage = CT_LINKAGE_C; linkage < CT_LINKAGE_c; linkage++) {
    void *free = ct_defined_in(module, ct_symbol_of(CT_FUNCTION_SysFreeString, linkage));
    if ((uintptr_t)free != copy) continue;
    const char *symbol = ct_symbol_of(function, linkage);
    // The name of this one has no character in it.
    if (!symbol && linkage != CT_LINKAGE_C) symbol = ct_symbol_of(function, CT_LINKAGE_c);
    return symbol ? ct_defined_in(module, symbol) : NULL;
  }
  return NULL;
}

bool ct_uses_functions(uintptr_t address) {
  return (ct_names_of(ct_module_of(address)) & ~CT_NAMES_KNOWN) != 0;
}

int ct_named_olechar_bytes(uintptr_t address) {
  ct_names used = ct_names_of(ct_module_of(address));
  if (ct_has_overloads(used)) return 0;
  uint64_t linkages = used >> CT_LINKAGES_SHIFT;
  if (linkages & 1 << CT_LINKAGE_w) return 4;
  return linkages & (1 << CT_LINKAGE_Ds | 1 << CT_LINKAGE_t) ? 2 : 0;
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
    const struct link_map *module = ct_module_of(info->dlpi_addr + segment->p_vaddr);
    void *function = module ? own_function(module, CT_FUNCTION_SysFreeString) : NULL;
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

const struct link_map *ct_last_initial_module;
static const struct link_map *own;

// Runs after `note_whether_unloads_are_seen`.
__attribute__((constructor(102))) static void note_initial(void) {
  struct ct_front *front = ct_front();
  own = front ? front->module : ct_module_of((uintptr_t)&note_initial);
  if (!own || ct_are_unloads_unseen) return;
  const struct link_map *last = _r_debug.r_map;
  bool is_listed = false;
  for (const struct link_map *module = last; module; module = module->l_next) {
    is_listed |= module == own;
    last = module;
  }
  // In a namespace of dlmopen this library is not in the main list.
  if (!last || !is_listed) return;
  // Never unloaded, because its address is compared with others later: an earlier constructor may
  // have opened it, and may close it.
  if (last->l_name[0]) dlopen(last->l_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  // What libc itself has opened meanwhile is no part of the order of search.
  ct_last_initial_module = front && front->last_initial ? front->last_initial : last;
  if (!look_for_copies().is_ambiguous) ct_tell_pages_apart(last);
}

void ct_note_definition(const struct link_map *module, const struct ct_tables *tables,
                        void *context) {
  struct ct_definitions *found = context;
  if (!ct_look_up(tables, found->symbol)) return;
  void *definition = ct_defined_in(module, found->symbol);
  if (definition && found->first) found->are_several = true;
  else if (definition) found->first = definition;
}

void *ct_first_definition(const struct link_map *caller, const char *symbol) {
  // The global scope comes first, as for the loader; calls of a module that is bound to itself do
  // not come here.
  const struct link_map *module = ct_last_initial_module ? own : NULL;
  while (module && module != ct_last_initial_module && (module = module->l_next) != NULL) {
    void *found = ct_defined_in(module, symbol);
    if (found) return found;
  }
  return caller ? ct_defined_in(caller, symbol) : NULL;
}

// Returns the definition of a symbol that a module reaches without this library.
static void *original_definition(const struct link_map *caller, const char *name,
                                 bool is_imported) {
  void *found = ct_last_initial_module ? NULL : ct_next_definition(name);
  if (!found || ct_is_in_copy(found)) found = ct_first_definition(caller, name);
  if (found || !is_imported) return found;
  // Where one module in all defines it, or none, the loader has no other answer. It is not asked
  // then: a thread that holds its lock may wait for this one, and dlsym would overwrite the text of
  // the program's dlerror.
  struct ct_definitions all = {.symbol = name};
  if (ct_visit_modules(ct_note_definition, &all) && !all.are_several) return all.first;
  // Only the loader knows the modules that this one needs, and those opened RTLD_GLOBAL.
  found = ct_next_definition(name);
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
  const struct link_map *caller = ct_module_of(address);
  enum ct_function function = ct_function_named(text);
  ct_names used = ct_names_of(caller);
  if (ct_linkage_of(used, function))
    return original_definition(caller, ct_symbol_of(function, ct_linkage_of(used, function)),
                               ct_is_imported(used, function));
  // Code that calls through a pointer, or jumped here: it may be any of them.
  for (enum ct_linkage linkage = CT_LINKAGE_C; linkage <= CT_LINKAGE_c; linkage++) {
    const char *symbol = ct_symbol_of(function, linkage);
    void *found = symbol ? original_definition(caller, symbol, false) : NULL;
    if (found) return found;
  }
  return NULL;
}
