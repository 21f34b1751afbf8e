// The loader's view of an address: which module, which build-id.
// Does not keep anything but the count of unloads.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CTracker.h"
#include "notes.h"

uint32_t ct_unloads;
bool ct_are_unloads_unseen;

uint32_t ct_count_unloads_anew(void) {
  return __atomic_add_fetch(&ct_unloads, 1, __ATOMIC_ACQ_REL);
}

void ct_invalidate_stack_caches(void) { __atomic_fetch_add(&ct_unloads, 1, __ATOMIC_ACQ_REL); }

// Whether the constructors of this module have begun, so that those of what it needs have run.
static bool is_initialised;

static void open_needed(const struct link_map *module) {
  const char *strings = NULL;
  for (const ElfW(Dyn) *entry = module->l_ld; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == DT_STRTAB) strings = (const char *)entry->d_un.d_ptr;
  if (!strings) return;
  for (const ElfW(Dyn) *entry = module->l_ld; entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == DT_NEEDED) dlopen(strings + entry->d_un.d_val, RTLD_LAZY | RTLD_NOLOAD);
}

void ct_initialise(void) {
  // By thread: others wait for the loader's lock below.
  static _Thread_local bool is_busy __attribute__((tls_model("initial-exec")));
  if (__atomic_load_n(&is_initialised, __ATOMIC_ACQUIRE) || is_busy) return;
  is_busy = true;
  struct dl_find_object own;
  if (_dl_find_object((void *)&ct_initialise, &own) == 0) {
    const char *path = own.dlfo_link_map->l_name;
    // To open what is loaded runs the constructors that have not run yet. The executable's own are its
    // business; the run-time's are not.
    if (path && path[0]) dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    else open_needed(own.dlfo_link_map);
  }
  is_busy = false;
}

int ct_own_dlclose(void *handle);

// Where this library came by dlopen, other modules' calls of dlclose do not come here.
static void look_who_closes(void) {
  void *first = dlsym(RTLD_DEFAULT, "dlclose");
  ct_are_unloads_unseen = first != (void *)&ct_own_dlclose && !ct_is_in_copy(first);
}

// What is closed is not unloaded: functions of this library are registered to run at exit and when
// threads end, and other libraries' destructors release strings through it. No linker flag says that
// of a package that others depend on, so the library says it itself.
__attribute__((constructor(101))) static void stay_loaded(void) {
  __atomic_store_n(&is_initialised, true, __ATOMIC_RELEASE);
  look_who_closes();
  struct dl_find_object own;
  if (_dl_find_object((void *)&stay_loaded, &own) != 0) return;
  const char *path = own.dlfo_link_map->l_name;
  // The executable has no name, and stays anyway. The handle is kept on purpose.
  if (path && path[0]) dlopen(path, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

static void (*before_unload)(void *handle);

void ct_tell_unloads(void (*before)(void *handle)) {
  __atomic_store_n(&before_unload, before, __ATOMIC_RELEASE);
}

// Counts and passes on. Unlike dlopen, dlclose does not depend on who calls it. Hidden, so that it is ours and
// nobody else's.
__attribute__((visibility("hidden"))) int ct_own_dlclose(void *handle) {
  static int (*next)(void *);
  if (!next) next = (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
  void (*before)(void *) = __atomic_load_n(&before_unload, __ATOMIC_ACQUIRE);
  // What the executable's handle stands for stays.
  if (before && handle != _r_debug.r_map) before(handle);
  // Before, so that nothing is taken for what was there; and after, for what was remembered meanwhile.
  __atomic_fetch_add(&ct_unloads, 1, __ATOMIC_ACQ_REL);
  ct_begin_close();
  int result = next(handle);
  ct_end_close();
  __atomic_fetch_add(&ct_unloads, 1, __ATOMIC_ACQ_REL);
  ct_forget_layouts();
  return result;
}

int dlclose(void *handle) __attribute__((alias("ct_own_dlclose")));

static void find_build_id(struct ct_module *module) {
  struct ct_note note = ct_find_note_in_image(module->start, module->end, module->bias, "GNU", 4,
                                              NT_GNU_BUILD_ID);
  if (!note.content || note.bytes > 64) return;
  module->buildID = note.content;
  module->buildIDBytes = note.bytes;
}

struct ct_module ct_find_module(uintptr_t address) {
  struct dl_find_object found;
  if (_dl_find_object((void *)address, &found) != 0) return (struct ct_module){.path = ""};
  struct ct_module module = {
      .start = (uintptr_t)found.dlfo_map_start,
      .end = (uintptr_t)found.dlfo_map_end,
      .bias = found.dlfo_link_map->l_addr,
      .path = found.dlfo_link_map->l_name ? found.dlfo_link_map->l_name : "",
  };
  find_build_id(&module);
  return module;
}

// FNV-1a.
static uint64_t mix(uint64_t hash, const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3;
  return hash;
}

uint64_t ct_module_identity(uintptr_t address) {
  struct dl_find_object found;
  if (_dl_find_object((void *)address, &found) != 0) return 0;
  struct ct_module module = ct_find_module(address);
  const uintptr_t words[] = {module.start, module.end, (uintptr_t)found.dlfo_link_map,
                             (uintptr_t)found.dlfo_link_map->l_ld};
  uint64_t hash = mix(0xCBF29CE484222325, words, sizeof words);
  hash = mix(hash, module.path, strlen(module.path));
  return mix(hash, module.buildID, module.buildIDBytes) | 1;
}

bool ct_is_readable(uintptr_t address, size_t bytes) {
  // The kernel reads 8 bytes of the signal set before it rejects the nonsensical request (~0), so
  // this asks "readable?" of a page with one system call and no effect.
  uintptr_t last = address + bytes - 1;
  if (bytes == 0 || last < address) return bytes == 0;
  int saved = errno;
  bool readable = true;
  for (uintptr_t page = address & ~(uintptr_t)4095; readable && page <= last; page += 4096) {
    readable = syscall(SYS_rt_sigprocmask, ~0, page, NULL, 8) == -1 && errno != EFAULT;
  }
  errno = saved;
  return readable;
}

__attribute__((no_sanitize("address", "thread", "undefined")))
uint64_t ct_peek(uintptr_t address, size_t bytes) {
  // Byte by byte: a call of memcpy would be checked.
  const volatile uint8_t *place = (const volatile uint8_t *)address;
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; i++) number |= (uint64_t)place[i] << (8 * i);
  return number;
}

size_t ct_usable_bytes(uintptr_t block) { return malloc_usable_size((void *)block); }

uint64_t ct_tcache_key(void) {
  // Two sizes that hardly anybody uses: what both bear is the mark. The compiler must not see that these
  // are read after they were freed.
  uint64_t keys[2];
  int found = 0;
  // Larger blocks go to no thread's cache.
  for (size_t bytes = 936; found < 2 && bytes <= 1032; bytes += 16) {
    void *block = malloc(bytes);
    if (!block) return 0;
    // One that is larger than it was asked for, as what is left over of it would be no block, goes into the
    // cache of another size, which may be full. That of its own has room: it comes from there, or that is empty.
    bool is_exact = malloc_usable_size(block) == bytes;
    uintptr_t address = (uintptr_t)block;
    __asm__ volatile("" : "+r"(address));
    free(block);
    if (is_exact) keys[found++] = ct_peek(address + 8, 8);
  }
  return found == 2 && keys[0] == keys[1] ? keys[0] : 0;
}

bool ct_heap_is_glibc(void) {
  struct dl_find_object heap, libc;
  return _dl_find_object((void *)&malloc, &heap) == 0 &&
         _dl_find_object((void *)&gnu_get_libc_version, &libc) == 0 &&
         heap.dlfo_link_map == libc.dlfo_link_map;
}

// sanitizer/allocator_interface.h
__attribute__((weak)) int __sanitizer_get_ownership(const volatile void *block);
__attribute__((weak)) size_t __sanitizer_get_allocated_size(const volatile void *block);

bool ct_heap_is_sanitizers(void) {
  return __sanitizer_get_ownership && __sanitizer_get_allocated_size;
}

size_t ct_sanitizer_block_bytes(uintptr_t block) {
  if (!ct_heap_is_sanitizers() || !__sanitizer_get_ownership((void *)block)) return 0;
  return __sanitizer_get_allocated_size((void *)block);
}

static bool program_needs_swift(void) {
  const struct link_map *program = _r_debug.r_map;
  const char *strings = NULL;
  for (const ElfW(Dyn) *entry = program->l_ld; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_STRTAB) strings = (const char *)entry->d_un.d_ptr;
  }
  if (!strings) return false;
  for (const ElfW(Dyn) *entry = program->l_ld; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_NEEDED && strstr(strings + entry->d_un.d_val, "libswiftCore"))
      return true;
  }
  return false;
}

void ct_remove_swift_crash_handlers(void) {
  static const int signals[] = {SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
  if (program_needs_swift()) return;
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    struct sigaction action;
    Dl_info owner;
    if (sigaction(signals[i], NULL, &action) != 0 || !(action.sa_flags & SA_SIGINFO)) continue;
    if (dladdr((void *)action.sa_sigaction, &owner) == 0 || !owner.dli_fname) continue;
    if (strstr(owner.dli_fname, "libswiftCore")) signal(signals[i], SIG_DFL);
  }
}
