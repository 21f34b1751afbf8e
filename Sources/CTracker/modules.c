// Iterates over the loaded modules by the loader's own list. Takes none of the loader's locks,
// which a forked child may have inherited from a thread that it does not have, and does not wait
// for it: a process may end in a signal handler. Trusts no address in the list.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CTracker.h"
#include "notes.h"

// A longer list is taken for a cyclic one.
#define MAX_MODULES 65536

// The counts of threads in `dlclose`, and of threads that read the list: none unloads while another
// reads. A thread in `dlclose` may itself read, from a destructor.
static uint32_t closing, reading;

void ct_begin_close(void) {
  ct_locals()->closing++;
  __atomic_fetch_add(&closing, 1, __ATOMIC_SEQ_CST);
  // A reader takes well under a millisecond. Give up after 10,000 yields: the program must not
  // hang.
  for (int i = 0; i < 10000 && __atomic_load_n(&reading, __ATOMIC_SEQ_CST) != 0; i++) sched_yield();
}

void ct_end_close(void) {
  __atomic_fetch_sub(&closing, 1, __ATOMIC_SEQ_CST);
  ct_locals()->closing--;
}

void ct_forget_closing(void) {
  __atomic_store_n(&closing, ct_locals()->closing, __ATOMIC_RELAXED);
  __atomic_store_n(&reading, 0, __ATOMIC_RELAXED);
}

// Returns whether the list is consistent, and no other thread is unloading.
static bool is_steady(void) {
  return _r_debug.r_state == RT_CONSISTENT &&
         __atomic_load_n(&closing, __ATOMIC_SEQ_CST) == ct_locals()->closing;
}

// Copies up to `bytes` bytes at `address` to `room`, of a text up to its end. Returns how many
// could be copied: all, those in front of unreadable memory, or none. Not instrumented by
// sanitizers, and makes no system call that a sandbox may forbid.
__attribute__((no_sanitize("address", "thread", "undefined")))
static size_t copy(void *room, uintptr_t address, size_t bytes, bool is_text) {
  volatile uint8_t *to = room;
  const volatile uint8_t *from = (const volatile uint8_t *)address;
  for (size_t i = 0; i < bytes; i++) {
    bool is_new_page = i == 0 || ((address + i) & 4095) == 0;
    if (is_new_page && !ct_is_readable(address + i, 1)) return i;
    to[i] = from[i];
    if (is_text && to[i] == 0) return i + 1;
  }
  return bytes;
}

bool ct_handler_stack_has(size_t bytes) {
  stack_t stack;
  // By its system call number: binding a function takes thousands of bytes of stack, too.
  if (syscall(SYS_sigaltstack, NULL, &stack) != 0 || !(stack.ss_flags & SS_ONSTACK)) return true;
  return (uintptr_t)__builtin_frame_address(0) - (uintptr_t)stack.ss_sp >= bytes;
}

void ct_begin_modules(struct ct_modules *modules, const void *first) {
  modules->next = first ? (uintptr_t)first : (uintptr_t)_r_debug.r_map;
  modules->left = MAX_MODULES;
  modules->unloads = ct_unload_count();
  __atomic_fetch_add(&reading, 1, __ATOMIC_SEQ_CST);
  modules->isBroken = !is_steady() || modules->next == 0;
  // Modules opened by dlmopen are in lists of their own, and do not call this library's functions.
  if (_r_debug.r_version >= 2) {
    const struct r_debug_extended *other = ((const struct r_debug_extended *)&_r_debug)->r_next;
    for (; other; other = other->r_next)
      if (other->base.r_map) modules->isBroken = true;
  }
}

// Reads the name of a module in the loader's list, "" where it cannot be read.
static void read_path(struct ct_modules *modules, uintptr_t name) {
  size_t bytes = name ? copy(modules->path, name, sizeof modules->path, true) : 0;
  if (bytes == 0 || modules->path[bytes - 1] != 0) {
    modules->path[0] = 0;
    modules->isBroken = true;
  }
}

bool ct_next_module(struct ct_modules *modules) {
  while (modules->next != 0 && modules->left-- > 0 && is_steady()) {
    struct link_map entry;
    uintptr_t address = modules->next;
    if (copy(&entry, address, sizeof entry, false) != sizeof entry) break;
    modules->next = (uintptr_t)entry.l_next;
    modules->name = (uintptr_t)entry.l_name;
    modules->isExecutable = address == (uintptr_t)_r_debug.r_map;
    struct dl_find_object found;
    if (_dl_find_object(entry.l_ld, &found) == 0 && (uintptr_t)found.dlfo_link_map == address) {
      modules->module = (struct ct_module){
          .start = (uintptr_t)found.dlfo_map_start,
          .end = (uintptr_t)found.dlfo_map_end,
          .bias = entry.l_addr,
          .path = modules->path,
      };
      return true;
    }
    // Either it is being loaded or unloaded, or it is the vDSO, which is no file.
    read_path(modules, modules->name);
    if (modules->path[0] == '/') modules->isBroken = true;
  }
  if (modules->next != 0) modules->isBroken = true;
  return false;
}

bool ct_identify_module(struct ct_modules *modules) {
  struct ct_module *module = &modules->module;
  read_path(modules, modules->name);
  // The vDSO has a name that is no path; the executable has none.
  if (modules->path[0] == 0 ? !modules->isExecutable : !strchr(modules->path, '/')) return false;
  size_t bytes = module->end - module->start;
  if (bytes > sizeof modules->header) bytes = sizeof modules->header;
  bytes = copy(modules->header, module->start, bytes, false);
  const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)modules->header;
  if (bytes < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return true;
  if (header->e_phoff % _Alignof(ElfW(Phdr)) != 0 || header->e_phoff > bytes) return true;
  const ElfW(Phdr) *segment = (const ElfW(Phdr) *)(modules->header + header->e_phoff);
  size_t count = (bytes - header->e_phoff) / sizeof *segment;
  for (size_t i = 0; i < count && i < header->e_phnum && !module->buildID; i++) {
    if (segment[i].p_type != PT_NOTE) continue;
    size_t size = segment[i].p_memsz;
    if (size > sizeof modules->notes) size = sizeof modules->notes;
    size = copy(modules->notes, module->bias + segment[i].p_vaddr, size, false);
    struct ct_note note = ct_find_note_in(modules->notes, size, "GNU", 4, NT_GNU_BUILD_ID);
    if (!note.content || note.bytes > 64) continue;
    module->buildID = note.content;
    module->buildIDBytes = note.bytes;
  }
  return true;
}

bool ct_end_modules(const struct ct_modules *modules) {
  bool is_all = !modules->isBroken && is_steady() && modules->unloads == ct_unload_count();
  __atomic_fetch_sub(&reading, 1, __ATOMIC_SEQ_CST);
  return is_all;
}
