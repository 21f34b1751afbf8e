// Asks the loader for the module and build-id of an address, and counts unloads; asks the kernel
// whether an address can be read. Keeps nothing but the count.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CSymbols.h"
#include "CTracker.h"
#include "notes.h"

uint32_t ct_unloads;
bool ct_are_unloads_unseen;

uint32_t ct_invalidate_stack_caches(void) {
  return __atomic_add_fetch(&ct_unloads, 1, __ATOMIC_ACQ_REL);
}

// Whether the constructors of this module have begun, so that those of the modules it needs have
// run.
static bool is_initialised;

static void open_needed(const struct link_map *module) {
  const char *name;
  for (size_t i = 0; (name = ct_needed_name(module, i)) != NULL; i++)
    dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
}

void ct_initialise(void) {
  // By thread: other threads wait for the loader's lock below.
  if (__atomic_load_n(&is_initialised, __ATOMIC_ACQUIRE) || ct_locals()->initialising) return;
  ct_locals()->initialising = true;
  struct dl_find_object own;
  if (_dl_find_object((void *)&ct_initialise, &own) == 0) {
    const char *path = own.dlfo_link_map->l_name;
    // Opening a loaded module runs those of its constructors that have not run yet. The
    // executable's own must not be run early; the run-time's must.
    if (path && path[0]) dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    else open_needed(own.dlfo_link_map);
  }
  ct_locals()->initialising = false;
}

int ct_own_dlclose(void *handle);

// Where this library was opened by dlopen, other modules' calls of dlclose do not come here.
static void note_whether_unloads_are_seen(void) {
  ct_are_unloads_unseen = !ct_is_own(dlsym(RTLD_DEFAULT, "dlclose"));
}

// Keeps this library loaded when it is closed: functions of it are registered to run at exit and
// when threads end, and other libraries' destructors free strings through it. A package cannot set
// the linker flag (-z nodelete) for its dependents, so the library does it itself.
__attribute__((constructor(101))) static void stay_loaded(void) {
  __atomic_store_n(&is_initialised, true, __ATOMIC_RELEASE);
  note_whether_unloads_are_seen();
  struct dl_find_object own;
  if (_dl_find_object((void *)&stay_loaded, &own) != 0) return;
  const char *path = own.dlfo_link_map->l_name;
  // The executable has no name, and is never unloaded. The handle is kept on purpose.
  if (path && path[0]) dlopen(path, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

static void (*before_unload)(void *handle);

void ct_tell_unloads(void (*before)(void *handle)) {
  __atomic_store_n(&before_unload, before, __ATOMIC_RELEASE);
}

void *ct_next_definition(const char *name) {
  struct ct_front *front = ct_front();
  return front ? front->next_function(name) : dlsym(RTLD_NEXT, name);
}

void *ct_next_function(const char *name) {
  void *next = ct_next_definition(name);
  // RTLD_NEXT finds nothing where this library comes after libc: when only another library needs
  // it.
  return next ? next : dlsym(RTLD_DEFAULT, name);
}

// Calls libc's `dlclose`, which, unlike `dlopen`, does not depend on its caller.
static int close_next(void *handle) {
  static int (*next)(void *);
  if (!next) next = (int (*)(void *))ct_next_function("dlclose");
  return next(handle);
}

void ct_drop_handle(void *handle) { close_next(handle); }

// Hidden, so that the name means this copy's function.
__attribute__((visibility("hidden"))) int ct_own_dlclose(void *handle) {
  void (*before)(void *) = __atomic_load_n(&before_unload, __ATOMIC_ACQUIRE);
  // The executable is never unloaded.
  if (before && handle != _r_debug.r_map) before(handle);
  // Invalidated before the close, so that no code is taken for the code that was there, and again
  // after it, for stacks that were cached meanwhile.
  ct_invalidate_stack_caches();
  ct_begin_close();
  int result = close_next(handle);
  ct_end_close();
  ct_invalidate_stack_caches();
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
  // The kernel reads 8 bytes of the signal set before it rejects the invalid request (~0), so that
  // one system call without effect asks whether a page is readable.
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
  // Byte by byte: sanitizers would check a call of memcpy.
  const volatile uint8_t *from = (const volatile uint8_t *)address;
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; i++) value |= (uint64_t)from[i] << (8 * i);
  return value;
}

static bool is_in_this_module(const void *address) {
  const struct link_map *module = ct_module_of((uintptr_t)address);
  return module && module == ct_module_of((uintptr_t)&is_in_this_module);
}

bool ct_is_own(const void *address) {
  struct ct_front *front = ct_front();
  return is_in_this_module(address) ||
         (front && ct_module_of((uintptr_t)address) == front->module);
}

// Any function of the Swift run-time. Weak, so that its address is the loader's answer, not that of
// a jump to it in this module.
extern void swift_retain(void) __attribute__((weak));

bool ct_has_own_runtime(void) { return is_in_this_module((void *)&swift_retain); }

bool ct_is_swift_program(void) {
  const char *name;
  for (size_t i = 0; (name = ct_needed_name(_r_debug.r_map, i)) != NULL; i++)
    if (strstr(name, "libswiftCore")) return true;
  return false;
}

void ct_remove_swift_crash_handlers(void) {
  static const int signals[] = {SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
  if (ct_is_swift_program()) return;
  // A program that is this module is a Swift program.
  bool removes_own = ct_has_own_runtime() && !is_in_this_module(_r_debug.r_map->l_ld);
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    struct sigaction action;
    if (sigaction(signals[i], NULL, &action) != 0 || !(action.sa_flags & SA_SIGINFO)) continue;
    const struct link_map *owner = ct_module_of((uintptr_t)action.sa_sigaction);
    if (!owner) continue;
    if (strstr(owner->l_name, "libswiftCore") ||
        (removes_own && is_in_this_module((void *)action.sa_sigaction)))
      signal(signals[i], SIG_DFL);
  }
}
