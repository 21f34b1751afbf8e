// Copies memory of this process that other threads may unmap meanwhile, and lists its threads and
// their thread-local blocks. Keeps nothing but the descriptor of the memory's file.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "CTracker.h"
#include "threads.h"

// The descriptor of /proc/self/mem, where the system call is refused; else -1.
static int memory_file = -1;

static size_t copy_by_call(void *to, uintptr_t from, size_t bytes) {
  struct iovec local = {.iov_base = to, .iov_len = bytes};
  struct iovec remote = {.iov_base = (void *)from, .iov_len = bytes};
  ssize_t copied = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  return copied > 0 ? (size_t)copied : 0;
}

bool ct_begin_copies(void) {
  uintptr_t probe = 0, word = 1;
  memory_file = -1;
  if (copy_by_call(&probe, (uintptr_t)&word, sizeof word) == sizeof word) return true;
  memory_file = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  return memory_file >= 0;
}

void ct_end_copies(void) {
  if (memory_file >= 0) close(memory_file);
  memory_file = -1;
}

size_t ct_copy_memory(void *to, uintptr_t from, size_t bytes) {
  if (memory_file < 0) return copy_by_call(to, from, bytes);
  ssize_t copied = pread(memory_file, to, bytes, (off_t)from);
  return copied > 0 ? (size_t)copied : 0;
}

// getdents64(2); not opendir, which allocates.
struct directory_entry {
  uint64_t inode;
  int64_t next;
  unsigned short bytes;
  unsigned char type;
  char name[];
};

size_t ct_list_threads(uint32_t *threads, size_t max) {
  int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return 0;
  size_t count = 0;
  _Alignas(8) char room[2048];
  long filled;
  while ((filled = syscall(SYS_getdents64, folder, room, sizeof room)) > 0) {
    for (long at = 0; at < filled;) {
      const struct directory_entry *entry = (const struct directory_entry *)(room + at);
      at += entry->bytes;
      if (entry->name[0] >= '0' && entry->name[0] <= '9' && count < max)
        threads[count++] = (uint32_t)strtoul(entry->name, NULL, 10);
    }
  }
  close(folder);
  return count;
}

uintptr_t ct_blocked_stack(uint32_t thread, uintptr_t *code) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/self/task/%u/syscall", thread);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t bytes = read(file, text, sizeof text - 1);
  close(file);
  if (bytes <= 0) return 0;
  text[bytes] = 0;
  // "running", or the number of the call, its six arguments, the stack pointer and the program
  // counter; without arguments for a thread that is blocked outside of a call, whose number is -1.
  if (text[0] == 'r') return 0;
  bool is_outside = text[0] == '-';
  const char *word = text;
  for (int i = 0; i < (is_outside ? 1 : 7) && word; i++) {
    word = strchr(word, ' ');
    if (word) word++;
  }
  char *next = NULL;
  uintptr_t stack = word ? strtoul(word, &next, 16) : 0;
  if (next && *next == ' ') *code = strtoul(next + 1, NULL, 16);
  return stack;
}

uintptr_t ct_thread_pointer(uint32_t thread) {
  if (thread == ct_kernel_id()) return (uintptr_t)pthread_self();
  const struct ct_thread *slot = __atomic_load_n(&ct_threads, __ATOMIC_ACQUIRE);
  for (; slot; slot = slot->next)
    if (__atomic_load_n(&slot->taken, __ATOMIC_ACQUIRE) && slot->tid == thread)
      return (uintptr_t)slot->pthread;
  return 0;
}

struct tls_search {
  struct ct_tls_module *modules;
  size_t max, count;
};

static int add_tls_module(struct dl_phdr_info *info, size_t size, void *context) {
  struct tls_search *search = context;
  if (size < offsetof(struct dl_phdr_info, dlpi_tls_modid) + sizeof info->dlpi_tls_modid) return 1;
  for (size_t i = 0; i < info->dlpi_phnum && search->count < search->max; i++)
    if (info->dlpi_phdr[i].p_type == PT_TLS && info->dlpi_tls_modid != 0)
      search->modules[search->count++] = (struct ct_tls_module){
          .id = info->dlpi_tls_modid,
          .bytes = info->dlpi_phdr[i].p_memsz,
          // An address in the module: its program headers' is, in its file's first page.
          .address = (uintptr_t)info->dlpi_phdr,
      };
  return 0;
}

size_t ct_list_tls_modules(struct ct_tls_module *modules, size_t max) {
  struct tls_search search = {.modules = modules, .max = max};
  dl_iterate_phdr(add_tls_module, &search);
  return search.count;
}

bool ct_is_system_module(uintptr_t address) {
  struct dl_find_object found, libc, loader;
  if (_dl_find_object((void *)address, &found) != 0) return false;
  if (ct_is_in_copy((void *)address)) return true;
  // The run-time that this library brought with it.
  if (!ct_is_swift_program() && strstr(found.dlfo_link_map->l_name, "/libswift")) return true;
  return (_dl_find_object((void *)&gnu_get_libc_version, &libc) == 0 &&
          found.dlfo_link_map == libc.dlfo_link_map) ||
         (_dl_find_object((void *)&_dl_find_object, &loader) == 0 &&
          found.dlfo_link_map == loader.dlfo_link_map);
}

bool ct_is_libc(uintptr_t address) {
  struct dl_find_object found, libc;
  return _dl_find_object((void *)address, &found) == 0 &&
         _dl_find_object((void *)&gnu_get_libc_version, &libc) == 0 &&
         found.dlfo_link_map == libc.dlfo_link_map;
}

#if defined(__x86_64__)
bool ct_is_return_address(uintptr_t address) {
  uint8_t code[7];
  struct dl_find_object found;
  if (address < 4096 || _dl_find_object((void *)address, &found) != 0) return false;
  if (ct_copy_memory(code, address - sizeof code, sizeof code) != sizeof code) return false;
  // call displacement; call *register, *memory with the operands' forms (ModR/M's middle is 2).
  if (code[2] == 0xE8) return true;
  for (size_t bytes = 2; bytes <= 7; bytes++) {
    const uint8_t *call = code + sizeof code - bytes;
    if (call[0] != 0xFF || (call[1] >> 3 & 7) != 2) continue;
    size_t mode = call[1] >> 6, base = call[1] & 7;
    size_t needed = 2 + (mode != 3 && base == 4) +
                    (mode == 1 ? 1 : mode == 2 || (mode == 0 && base == 5) ? 4 : 0);
    if (needed == bytes) return true;
  }
  return false;
}
#else
bool ct_is_return_address(uintptr_t address) { return (void)address, false; }
#endif
