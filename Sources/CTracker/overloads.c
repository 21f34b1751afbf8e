// Decides where a call by a C++ name goes: to this library's function, or to the program's own
// where any module has overloads.

#include "copies.h"
#include "names.h"

// Whether a module with overloads was seen. From then on no call by a C++ name, of whichever module,
// goes to this library, so that what a function of the program made comes back to the program's.
static bool has_seen_overloads;
static bool are_initial_modules_known;

struct overloads {
  struct ct_definitions definitions;
  bool has_overloads;
};

static void note_overloads(const struct link_map *module, const struct ct_tables *tables,
                           void *context) {
  struct overloads *found = context;
  found->has_overloads |= ct_has_overloads(ct_adding_definitions(CT_NAMES_KNOWN, module, tables));
  ct_note_definition(module, tables, &found->definitions);
}

// Looks for modules with overloads, and for the definition that calls by a C++ name reach. Takes
// none of the loader's locks. Returns whether all modules could be looked at.
static bool look_for_overloads(const struct link_map *caller, const char *symbol,
                               void **definition) {
  struct overloads found = {.definitions = {.symbol = symbol},
                            .has_overloads = ct_has_overloads(ct_names_of(caller))};
  // Modules that were loaded at the start also count by what they import, later ones only by what
  // they define.
  if (ct_last_initial_module && !__atomic_load_n(&are_initial_modules_known, __ATOMIC_ACQUIRE))
    for (const struct link_map *module = _r_debug.r_map; module; module = module->l_next) {
      found.has_overloads |= ct_has_overloads(ct_names_of(module));
      if (module == ct_last_initial_module) break;
    }
  bool is_all = ct_visit_modules(note_overloads, &found);
  *definition = ct_first_definition(caller, symbol);
  if (!*definition) *definition = found.definitions.first;
  if (found.has_overloads && !__atomic_exchange_n(&has_seen_overloads, true, __ATOMIC_SEQ_CST))
    ct_forget_layouts();
  // Set last: from then on other threads do not look at those modules.
  __atomic_store_n(&are_initial_modules_known, true, __ATOMIC_RELEASE);
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
  const struct link_map *caller = ct_module_of(return_address);
  void *definition = NULL;
  bool is_all = look_for_overloads(caller, alias->symbol, &definition);
  target = (uintptr_t)alias->function;
  if (definition && __atomic_load_n(&has_seen_overloads, __ATOMIC_ACQUIRE))
    target = (uintptr_t)definition;
  if (is_all && caller && !ct_are_unloads_unseen) {
    __atomic_store_n(&kept->key, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&kept->target, target, __ATOMIC_RELAXED);
    __atomic_store_n(&kept->key, key ^ target, __ATOMIC_SEQ_CST);
    // Another thread may have met overloads meanwhile, and cleared the table.
    if (target == (uintptr_t)alias->function && definition &&
        __atomic_load_n(&has_seen_overloads, __ATOMIC_SEQ_CST))
      __atomic_store_n(&kept->key, 0, __ATOMIC_RELAXED);
  }
  return (void *)(uintptr_t)target;
}
