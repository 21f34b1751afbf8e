// Replaces the functions of families by jumps to this library's: through a page within reach of the
// module, whose jumps lead to entries.c.

#define _GNU_SOURCE
#include "replace.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CTracker.h"
#include "family.h"

static bool misses_opened_modules;

bool ct_misses_opened_modules(void) { return misses_opened_modules; }

#if defined(__x86_64__)

// The layout that the options set; 0 for what they do not.
static struct ct_family_layout given_layout;
// Whether only modules are looked at in which functions were given.
static bool only_given;

#define PAGE_BYTES 4096
// A jump reaches 2 GiB; modules are smaller than this margin.
#define REACH ((uintptr_t)0x70000000)

// A page with a jump for each entry.
struct thunk {
  // jmp *2(%rip), int3, int3
  uint8_t jump[8];
  uintptr_t entry;
};
_Static_assert(sizeof(struct thunk) * CT_ENTRIES <= PAGE_BYTES, "the thunks fit into a page");

#define MAX_PAGES 64
static const struct thunk *pages[MAX_PAGES];
static int page_count;

static bool is_within_reach(uintptr_t page, uintptr_t start, uintptr_t end) {
  uintptr_t low = page < start ? page : start, high = page + PAGE_BYTES;
  return (high > end ? high : end) - low < REACH;
}

// Maps the page where nothing is, preferably in front of the module: behind an executable its heap
// grows.
static void *map_near(uintptr_t start, uintptr_t end) {
  uintptr_t step = 1 << 16;
  for (int i = 1; i < 128; i++) {
    if (i == 32) step = 1 << 24;
    for (int is_behind = 0; is_behind < 2; is_behind++) {
      // Behind, at a distance.
      uintptr_t distance = step * (uintptr_t)i, wanted = (start & ~(uintptr_t)0xFFFF) - distance;
      if (is_behind) wanted = (end + ((uintptr_t)1 << 30) + distance) & ~(uintptr_t)0xFFFF;
      if (!is_behind && distance + (1 << 16) > start) continue;
      if (!is_within_reach(wanted, start, end)) continue;
      void *page = mmap((void *)wanted, PAGE_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
      if (page == (void *)wanted) return page;
      // Kernels before 4.17 take the address for a wish.
      if (page != MAP_FAILED) munmap(page, PAGE_BYTES);
    }
  }
  return NULL;
}

// Returns a page within reach of the module at an address, which is writable yet; NULL where there
// is no room for one.
static struct thunk *map_page(const void *address) {
  struct dl_find_object found;
  if (_dl_find_object((void *)address, &found) != 0) return NULL;
  return map_near((uintptr_t)found.dlfo_map_start, (uintptr_t)found.dlfo_map_end);
}

static void set_thunk(struct thunk *thunk, uintptr_t target) {
  *thunk = (struct thunk){{0xFF, 0x25, 2, 0, 0, 0, 0xCC, 0xCC}, target};
}

static bool protect(struct thunk *page) {
  if (mprotect(page, PAGE_BYTES, PROT_READ | PROT_EXEC) == 0) return true;
  munmap(page, PAGE_BYTES);
  return false;
}

// Returns the entries' thunks within reach of the module at an address.
static const struct thunk *thunks_near(const void *address) {
  struct dl_find_object found;
  if (_dl_find_object((void *)address, &found) != 0) return NULL;
  for (int i = 0; i < page_count; i++)
    if (is_within_reach((uintptr_t)pages[i], (uintptr_t)found.dlfo_map_start,
                        (uintptr_t)found.dlfo_map_end))
      return pages[i];
  struct thunk *page = page_count < MAX_PAGES ? map_page(address) : NULL;
  if (!page) return NULL;
  for (int i = 0; i < CT_ENTRIES; i++)
    set_thunk(&page[i], (uintptr_t)ct_entries + (uintptr_t)i * CT_ENTRY_BYTES);
  return protect(page) ? (pages[page_count++] = page) : NULL;
}

static void make_jump(uint8_t *code, uintptr_t location, const struct thunk *thunk) {
  int32_t distance = (int32_t)((uintptr_t)thunk - (location + CT_JUMP_BYTES));
  code[0] = 0xE9;
  memcpy(code + 1, &distance, sizeof distance);
}

// Writes to code. The page stays readable, executable and, in the memory map, the file's.
static bool write_code(int memory, uintptr_t address, const uint8_t *code) {
  return pwrite(memory, code, CT_JUMP_BYTES, (off_t)address) == CT_JUMP_BYTES;
}

bool ct_write_jump(uintptr_t function, uintptr_t target) {
  struct thunk *page = map_page((const void *)function);
  if (!page) return false;
  set_thunk(&page[0], target);
  int memory = protect(page) ? open("/proc/self/mem", O_RDWR | O_CLOEXEC) : -1;
  if (memory < 0) return false;
  uintptr_t location = ct_jump_location(function);
  uint8_t jump[CT_JUMP_BYTES];
  make_jump(jump, location, &page[0]);
  bool is_written = write_code(memory, location, jump);
  close(memory);
  return is_written;
}

// Writes all jumps, or none.
static bool write_jumps(const struct ct_family *family, const struct thunk *thunks, int layout) {
  int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  if (memory < 0) return false;
  uint8_t originals[CT_FUNCTION_COUNT][CT_JUMP_BYTES];
  int written = 0;
  bool is_written = true;
  for (; written < CT_FUNCTION_COUNT && is_written; written++) {
    uintptr_t function = family->functions[written].address;
    if (!function) continue;
    uintptr_t location = ct_jump_location(function);
    memcpy(originals[written], (const void *)location, CT_JUMP_BYTES);
    uint8_t jump[CT_JUMP_BYTES];
    make_jump(jump, location, &thunks[ct_entry(written, layout)]);
    is_written = write_code(memory, location, jump);
  }
  while (!is_written && written-- > 0) {
    uintptr_t function = family->functions[written].address;
    if (function) write_code(memory, ct_jump_location(function), originals[written]);
  }
  close(memory);
  return is_written;
}

static bool has_one_thread(void) {
  DIR *tasks = opendir("/proc/self/task");
  if (!tasks) return false;
  int count = 0;
  for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) count += entry->d_name[0] != '.';
  closedir(tasks);
  return count == 1;
}

enum ct_replacement ct_replace_family(const struct ct_family *family, bool is_being_opened,
                                      struct ct_family_layout *layout) {
  bool has_threads = !has_one_thread();
  if (has_threads && !is_being_opened) return CT_HAS_THREADS;
  if (!ct_can_keep_registers()) return CT_IS_UNWRITABLE;
  if (!ct_try_family(family, has_threads, layout)) return CT_IS_UNANSWERED;
  if (given_layout.olechar_bytes) layout->olechar_bytes = given_layout.olechar_bytes;
  if (given_layout.payload_offset) layout->payload_offset = given_layout.payload_offset;
  const struct thunk *thunks = thunks_near(family->module->l_ld);
  if (!thunks) return CT_IS_OUT_OF_REACH;
  return write_jumps(family, thunks, ct_entry_layout(*layout)) ? CT_REPLACED : CT_IS_UNWRITABLE;
}

// MARK: what became of families

#define MAX_FAMILIES 256
static struct state {
  const struct link_map *module;
  uintptr_t copy;
  enum ct_replacement replacement;
  struct ct_family_layout layout;
} families[MAX_FAMILIES];
static uint32_t family_count;
// Guards them. Taken last, with the recursion guard held.
static struct ct_lock families_lock;

void ct_note_replacement(const struct ct_family *family, enum ct_replacement replacement,
                         struct ct_family_layout layout) {
  ct_lock_acquire(&families_lock);
  if (family_count < MAX_FAMILIES)
    families[family_count++] =
        (struct state){family->module, family->functions[CT_FUNCTION_SysFreeString].address,
                       replacement, layout};
  ct_lock_release(&families_lock);
}

bool ct_is_listed(const struct link_map *module) {
  const struct link_map *listed = _r_debug.r_map;
  while (listed && listed != module) listed = listed->l_next;
  return listed != NULL;
}

void ct_forget_closed_families(void) {
  ct_lock_acquire(&families_lock);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < family_count; i++)
    if (ct_is_listed(families[i].module)) families[kept++] = families[i];
  family_count = kept;
  ct_lock_release(&families_lock);
}

enum ct_replacement ct_replacement_of(uintptr_t module) {
  enum ct_replacement result = CT_NO_FAMILY;
  const struct link_map *wanted = ct_module_of(module);
  ct_lock_acquire(&families_lock);
  for (uint32_t i = 0; i < family_count; i++)
    if (families[i].module == wanted) result = families[i].replacement;
  ct_lock_release(&families_lock);
  return result;
}

struct ct_replaced_layout ct_replaced_layout_of(uintptr_t copy) {
  struct ct_replaced_layout result = {0};
  ct_lock_acquire(&families_lock);
  for (uint32_t i = 0; i < family_count; i++)
    if (families[i].copy == copy && families[i].replacement == CT_REPLACED)
      result = (struct ct_replaced_layout){families[i].layout.olechar_bytes,
                                           families[i].layout.payload_offset};
  ct_lock_release(&families_lock);
  return result;
}

bool ct_has_families(void) { return __atomic_load_n(&family_count, __ATOMIC_RELAXED) != 0; }

void ct_renew_families_in_child(void) { families_lock = (struct ct_lock){0}; }

enum ct_replacement ct_family_of(const struct link_map *module, struct ct_family *family) {
  *family = (struct ct_family){.module = module};
  // The vDSO is no file, and has a name without a path.
  const char *path = module == _r_debug.r_map ? "/proc/self/exe" : module->l_name;
  if (!module->l_ld || !strchr(path, '/') || ct_is_in_copy(module->l_ld)) return CT_NO_FAMILY;
  return ct_find_family(module, path, only_given, family);
}

void ct_replace_families(uint32_t olechar_bytes, uint32_t payload_offset, bool are_all) {
  only_given = !are_all;
  given_layout = (struct ct_family_layout){(uint8_t)olechar_bytes, (uint8_t)payload_offset};
  for (const struct link_map *module = _r_debug.r_map; module; module = module->l_next) {
    struct ct_family family;
    enum ct_replacement result = ct_family_of(module, &family);
    if (result == CT_NO_FAMILY) continue;
    struct ct_family_layout layout = {0};
    if (result == CT_REPLACED) result = ct_replace_family(&family, false, &layout);
    ct_note_replacement(&family, result, layout);
  }
  misses_opened_modules = !has_one_thread() || !ct_watch_loader();
}

#else

void ct_replace_families(uint32_t olechar_bytes, uint32_t payload_offset, bool are_all) {
  (void)olechar_bytes, (void)payload_offset, (void)are_all;
}
enum ct_replacement ct_replacement_of(uintptr_t module) { return (void)module, CT_NO_FAMILY; }
struct ct_replaced_layout ct_replaced_layout_of(uintptr_t copy) {
  return (void)copy, (struct ct_replaced_layout){0};
}
bool ct_has_families(void) { return false; }
void ct_renew_families_in_child(void) {}

#endif
