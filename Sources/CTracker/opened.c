// Looks at modules that the program opens, between their relocation and their constructors. When
// its list of modules has changed, the loader calls a function that is empty (_r_debug.r_brk, for
// debuggers). There the initialisation of new modules with a family is led through this file: they
// are not relocated yet.

#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "CTracker.h"
#include "replace.h"

#if defined(__x86_64__)

typedef void constructor(int count, char **arguments, char **variables);

// A value in the dynamic section of a module, and what it was.
struct changed_value {
  const ElfW(Dyn) *entry;
  uintptr_t original;
};

// The modules with a family that are opened and not initialised yet. The loader's lock guards all
// of this file's variables.
#define MAX_OPENING 16
static struct opening {
  // Of no module while the slot is free.
  struct ct_family family;
  // DT_INIT, or else DT_INIT_ARRAY and DT_INIT_ARRAYSZ.
  struct changed_value values[2];
} opening[MAX_OPENING];

static void initialise(int index, int count, char **arguments, char **variables);

// The loader does not say which module it initialises: there is a function for each.
#define ALL(DO)                                                                                    \
  DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)                                                  \
  DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)
#define DEFINE(n)                                                                                  \
  static void initialise_##n(int count, char **arguments, char **variables) {                      \
    initialise(n, count, arguments, variables);                                                    \
  }
#define ELEMENT(n) initialise_##n,
ALL(DEFINE)
// Each is an array of constructors, too.
static constructor *const functions[MAX_OPENING] = {ALL(ELEMENT)};

static struct changed_value value_of(const struct link_map *module, ElfW(Sxword) tag) {
  for (const ElfW(Dyn) *entry = module->l_ld; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == tag) return (struct changed_value){entry, entry->d_un.d_val};
  return (struct changed_value){0};
}

// Sets a value of the dynamic section, which may be read-only.
static bool set(const struct changed_value *value, uintptr_t word) {
  int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  if (memory < 0) return false;
  bool is_set =
      pwrite(memory, &word, sizeof word, (off_t)(uintptr_t)&value->entry->d_un) == sizeof word;
  close(memory);
  return is_set;
}

// Leads the initialisation of a module to a function of this file. Returns false where that cannot
// be done, or the module has none.
static bool lead_here(struct opening *slot) {
  const struct link_map *module = slot->family.module;
  constructor *const *function = &functions[slot - opening];
  slot->values[0] = value_of(module, DT_INIT);
  slot->values[1] = (struct changed_value){0};
  if (slot->values[0].entry) return set(&slot->values[0], (uintptr_t)*function - module->l_addr);
  slot->values[0] = value_of(module, DT_INIT_ARRAY);
  slot->values[1] = value_of(module, DT_INIT_ARRAYSZ);
  if (!slot->values[0].entry || slot->values[1].original < sizeof *function ||
      !set(&slot->values[0], (uintptr_t)function - module->l_addr))
    return false;
  if (set(&slot->values[1], sizeof *function)) return true;
  set(&slot->values[0], slot->values[0].original);
  return false;
}

// Runs in place of a module's first constructor, and calls that.
static void initialise(int index, int count, char **arguments, char **variables) {
  struct opening slot = opening[index];
  opening[index].family.module = NULL;
  struct ct_thread *thread = ct_enter();
  for (int i = 0; i < 2; i++)
    if (slot.values[i].entry) set(&slot.values[i], slot.values[i].original);
  if (thread) {
    struct ct_family_layout layout = {0};
    enum ct_replacement result = ct_replace_family(&slot.family, true, &layout);
    ct_note_replacement(&slot.family, result, layout);
  }
  ct_leave(thread);
  constructor **original = (constructor **)(slot.family.module->l_addr + slot.values[0].original);
  if (!slot.values[1].entry) {
    ((constructor *)original)(count, arguments, variables);
    return;
  }
  for (size_t i = 0; i < slot.values[1].original / sizeof *original; i++)
    original[i](count, arguments, variables);
}

// Looks at a module that is mapped, and not relocated.
static void prepare(const struct link_map *module) {
  struct ct_family family;
  enum ct_replacement result = ct_family_of(module, &family);
  if (result == CT_NO_FAMILY) return;
  if (result == CT_REPLACED) {
    struct opening *slot = opening;
    while (slot < opening + MAX_OPENING && slot->family.module) slot++;
    if (slot < opening + MAX_OPENING) {
      slot->family = family;
      if (lead_here(slot)) return;
      slot->family.module = NULL;
    }
    result = CT_HAS_NO_MOMENT;
  }
  ct_note_replacement(&family, result, (struct ct_family_layout){0});
}

static void forget_closed(void) {
  // One that could not be relocated was closed again before it was initialised.
  for (struct opening *slot = opening; slot < opening + MAX_OPENING; slot++)
    if (slot->family.module && !ct_is_listed(slot->family.module)) slot->family.module = NULL;
  ct_forget_closed_families();
}

// The last module of the list when that was looked at; NULL where a change was missed.
static const struct link_map *last_known;

static void find_last(void) {
  last_known = _r_debug.r_map;
  while (last_known && last_known->l_next) last_known = last_known->l_next;
}

// The loader's own list and its state. Not _r_debug: an executable that has a copy of that, by a
// relocation, has it as it was before the program started.
static const struct r_debug *list;

static const struct r_debug *find_list(void) {
  for (const ElfW(Dyn) *entry = _r_debug.r_map->l_ld; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == DT_DEBUG && entry->d_un.d_ptr)
      return (const struct r_debug *)entry->d_un.d_ptr;
  return &_r_debug;
}

// Called by the loader, which holds its lock.
static void modules_changed(void) {
  // While it adds modules, they may be in the list and not be mapped yet.
  if (list->r_state != RT_CONSISTENT) return;
  struct ct_thread *thread = ct_enter();
  if (!thread) {
    last_known = NULL;
    return;
  }
  forget_closed();
  // New ones come at the end. Where others were removed, none is new.
  const struct link_map *module = _r_debug.r_map;
  while (module && module != last_known) module = module->l_next;
  for (module = module ? module->l_next : NULL; module; module = module->l_next) prepare(module);
  find_last();
  ct_leave(thread);
}

// Returns the bytes of an instruction that does nothing, as compilers put them behind functions; 0
// for others.
static int padding_bytes(const uint8_t *code) {
  int at = 0;
  while (at < 8 && (code[at] == 0x66 || code[at] == 0x2E)) at++;
  if (code[at] == 0x90 || (at == 0 && code[at] == 0xCC)) return at + 1;
  // nopw and nopl, with a register and a displacement
  if (code[at] != 0x0F || code[at + 1] != 0x1F) return 0;
  uint8_t operand = code[at + 2];
  int displacement = operand >> 6 == 1 ? 1 : operand >> 6 == 2 ? 4 : 0;
  return at + 3 + ((operand & 7) == 4 ? 1 : 0) + displacement;
}

bool ct_watch_loader(void) {
  list = find_list();
  uintptr_t function = (uintptr_t)list->r_brk;
  if (!function || !ct_is_readable(function, 32)) return false;
  // ret, and what is behind it; a debugger's breakpoint is something else.
  const uint8_t *code = (const uint8_t *)ct_jump_location(function);
  if (code[0] != 0xC3) return false;
  for (int at = 1; at < CT_JUMP_BYTES;) {
    int bytes = padding_bytes(code + at);
    if (bytes == 0) return false;
    at += bytes;
  }
  find_last();
  return ct_write_jump(function, (uintptr_t)modules_changed);
}

#endif
