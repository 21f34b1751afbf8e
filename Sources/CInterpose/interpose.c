// Interposes libc's `free`, `realloc` and `reallocarray`, to see private copies of SysFreeString
// free blocks. Decides nothing: the filter says "certainly not registered" or "ask", and Swift
// answers.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "CInterpose.h"
#include "CTracker.h"

// A sanitizer's heap interposes them itself, and must be the only one.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED
#endif
#endif

void (*ct_free_of_heap)(void *) = free;

#ifndef IS_SANITIZED

static void (*next_free)(void *);
static void *(*next_realloc)(void *, size_t);

// Hidden, so that the name means this copy's function.
__attribute__((visibility("hidden"))) void ct_own_free(void *pointer);

// Whether the heap is glibc's, whose blocks start at multiples of 16, and which ends a program that
// frees any other address. False until that is known.
static bool heap_is_glibc;

// Before the constructor has run, only the loader and other libraries' constructors call these
// functions.
static void find_next(void) {
  static bool busy;
  if (busy) return;
  busy = true;
  next_free = (void (*)(void *))ct_next_function("free");
  next_realloc = (void *(*)(void *, size_t))ct_next_function("realloc");
  // Another `free` may be in front of this library's, with a heap of its own: an allocator in the
  // executable, or a preloaded one. Blocks belong to that heap then.
  if (next_free && ct_is_own(dlsym(RTLD_DEFAULT, "free"))) ct_free_of_heap = next_free;
  busy = false;
}

__attribute__((constructor(101))) static void started(void) {
  if (!next_free) find_next();
  heap_is_glibc = ct_heap_is_glibc();
}

// Returns the answer of the copy of this library that records in place of this one.
static uintptr_t ask_recorder(enum ct_operation operation, void *pointer, bool is_realloc,
                              uintptr_t caller, uintptr_t frame) {
  struct ct_request request = {
      .operation = operation,
      .arguments = {(uintptr_t)pointer, is_realloc},
      .caller = caller,
      .frame = frame,
  };
  ct_ask_recorder(&request);
  return request.results[0];
}

static bool free_registered(void *pointer, bool is_realloc, uintptr_t caller, uintptr_t frame) {
  return ct_has_other_recorder()
             ? ask_recorder(CT_HEAP_FREE, pointer, is_realloc, caller, frame) != 0
             : bstrtrace_release(pointer, is_realloc, caller, frame);
}

static const void *block_of(void *pointer) {
  return ct_has_other_recorder() ? (const void *)ask_recorder(CT_HEAP_BLOCK, pointer, true, 0, 0)
                                 : bstrtrace_block(pointer);
}

// Other heaps' blocks may start at any multiple of 8, and a pointer a few bytes away from a
// registered block may be meant for it: the cells on both sides are read.
bool ct_may_be_registered(const void *pointer) {
  uint32_t mode = __atomic_load_n(&ct_free_mode, __ATOMIC_RELAXED);
  if (!(mode & (CT_ASK_FILTER | CT_ASK_RECORDER)) || !pointer) return false;
  if (__builtin_expect(mode & CT_ASK_RECORDER, 0)) return true;
  uintptr_t address = (uintptr_t)pointer;
  // None of its blocks is as small as 16 bytes: an address 16 bytes further is inside the previous
  // block.
  if (heap_is_glibc)
    return address % 16 != 0 || ct_filter_may_hold(address) || ct_filter_may_hold(address - 16);
  return ct_filter_may_hold(address - 8) || ct_filter_may_hold(address + 8);
}

// Notes a block that is freed while this thread probes a program's own functions.
static void note_probed(const void *pointer) {
  if (!ct_is_probing()) return;
  struct ct_thread *thread = ct_thread();
  uintptr_t distance = thread->probed_string - (uintptr_t)pointer;
  if (distance <= 16) thread->probed_offset = (int32_t)distance;
}

void ct_own_free(void *pointer) {
  uintptr_t caller = ct_return_address(), frame = ct_frame_address();
  if (__builtin_expect(__atomic_load_n(&ct_free_mode, __ATOMIC_RELAXED) >= CT_PROBE, 0))
    note_probed(pointer);
  // The copy that records has judged the pointers that it passes on.
  if (__builtin_expect(ct_may_be_registered(pointer), 0) && !ct_is_in_other_recorder(caller)) {
    int saved = errno;
    bool is_freed = free_registered(pointer, false, caller, frame);
    errno = saved;
    if (is_freed) return;
    if (next_free) {
      next_free(pointer);
      // No tail call: another copy's call is recognised by its return address.
      ct_keep_frame();
      return;
    }
  }
  if (__builtin_expect(!next_free, 0)) {
    find_next();
    // Reached only from inside dlsym, whose few bytes are then leaked, once.
    if (!next_free) return;
  }
  next_free(pointer);
}

void free(void *pointer) __attribute__((alias("ct_own_free")));

// Not next_realloc: it would free the old block before that is recorded, and another thread could
// be given its address in between.
static void *move(void *pointer, const void *block, size_t bytes, uintptr_t caller,
                  uintptr_t frame) {
  void *moved = bytes ? malloc(bytes) : NULL;
  if (bytes && !moved) return NULL;
  if (moved) {
    size_t old = malloc_usable_size((void *)block) - ((uintptr_t)pointer - (uintptr_t)block);
    memcpy(moved, pointer, old < bytes ? old : bytes);
  }
  free_registered(pointer, true, caller, frame);
  return moved;
}

void *realloc(void *pointer, size_t bytes) {
  uintptr_t caller = ct_return_address(), frame = ct_frame_address();
  if (__builtin_expect(ct_may_be_registered(pointer), 0)) {
    int saved = errno;
    const void *block = block_of(pointer);
    errno = saved;
    if (block) return move(pointer, block, bytes, caller, frame);
  }
  if (__builtin_expect(!next_realloc, 0)) find_next();
  return next_realloc ? next_realloc(pointer, bytes) : NULL;
}

void *reallocarray(void *block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc(block, bytes);
}

bool ct_is_free_watched(void) {
  void *first = dlsym(RTLD_DEFAULT, "free");
  return !ct_heap_is_glibc() || (first && ct_is_in_copy(first));
}

#else

bool ct_is_free_watched(void) { return true; }

bool ct_may_be_registered(const void *pointer) { return (void)pointer, false; }

#endif
