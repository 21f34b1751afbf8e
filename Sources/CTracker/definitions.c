// Finds the modules' own definitions of functions: not those of copies of this library.

#include "definitions.h"

#include "CTracker.h"

void *ct_defined_in(const struct link_map *module, const char *name) {
  struct ct_tables tables;
  if (!ct_read_tables(module, &tables)) return NULL;
  const ElfW(Sym) *symbol = ct_look_up(&tables, name);
  void *function = symbol ? (void *)(module->l_addr + symbol->st_value) : NULL;
  return function && !ct_is_in_copy(function) ? function : NULL;
}

bool ct_visit_modules(void (*visit)(const struct link_map *module, const struct ct_tables *tables,
                                        void *context),
                          void *context) {
  // Not on the stack, of which the program may have little here.
  static struct ct_modules modules;
  static bool is_busy;
  if (__atomic_exchange_n(&is_busy, true, __ATOMIC_ACQUIRE)) return false;
  ct_begin_modules(&modules, NULL);
  while (ct_next_module(&modules)) {
    const struct link_map *module = ct_module_of(modules.module.start);
    struct ct_tables tables;
    if (module && ct_read_tables(module, &tables)) visit(module, &tables, context);
  }
  bool is_all = ct_end_modules(&modules);
  __atomic_store_n(&is_busy, false, __ATOMIC_RELEASE);
  return is_all;
}
