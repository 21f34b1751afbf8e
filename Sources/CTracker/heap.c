// Asks the heap about its blocks: usable bytes, the key of glibc's freed blocks (tcache_key), and
// which heap it is. Keeps nothing.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <malloc.h>
#include <stdlib.h>

#include "CTracker.h"

size_t ct_usable_bytes(uintptr_t block) { return malloc_usable_size((void *)block); }

uint64_t ct_tcache_key(void) {
  // Two sizes that are rarely used: the word that both have after the free is the key. The compiler
  // must not see that they are read after they were freed.
  uint64_t keys[2];
  int found = 0;
  // Larger blocks go to no thread's cache.
  for (size_t bytes = 936; found < 2 && bytes <= 1032; bytes += 16) {
    void *block = malloc(bytes);
    if (!block) return 0;
    // A block that is larger than requested, because its rest would be too small for a block, goes
    // into the cache of another size, which may be full. The cache of its own size has room: the
    // block comes from there, or that cache is empty.
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
