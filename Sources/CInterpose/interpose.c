// Stands in front of libc's release functions, to see private copies of SysFreeString at work.
// Decides nothing: the filter says "certainly not ours" or "ask", and Swift answers.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "CInterpose.h"
#include "CTracker.h"

// A sanitizer's heap stands there itself, and must be the only one to.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED
#endif
#endif

#ifndef IS_SANITIZED

static void (*next_free)(void *);
static void *(*next_realloc)(void *, size_t);
// `next_free` where our `free` is the first that the loader finds. Another one may stand in front, with a
// heap of its own: an allocator in the executable, or one that was preloaded. Blocks are its then.
static void (*heap_free)(void *);

// Hidden, so that it is ours and nobody else's.
__attribute__((visibility("hidden"))) void ct_own_free(void *pointer);

// Before the constructor has run, only the loader and other libraries' constructors call us.
static void find_next(void) {
  static bool busy;
  if (busy) return;
  busy = true;
  next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
  next_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
  if (dlsym(RTLD_DEFAULT, "free") == (void *)&ct_own_free) heap_free = next_free;
  busy = false;
}

__attribute__((constructor(101))) static void started(void) {
  if (!next_free) find_next();
}

// The heap's blocks start at multiples of 16. What lies a few bytes behind one may be a BSTR that was
// mistaken for a block.
static bool may_be_ours(const void *pointer) {
  return pointer && ct_filter_may_hold((const void *)((uintptr_t)pointer & ~(uintptr_t)15));
}

void ct_own_free(void *pointer) {
  uintptr_t caller = ct_return_address(), frame = ct_frame_address();
  if (__builtin_expect(may_be_ours(pointer), 0)) {
    int saved = errno;
    bool released = bstrtrace_release(pointer, false, caller, frame);
    errno = saved;
    if (released) return;
  }
  if (__builtin_expect(!next_free, 0)) {
    find_next();
    // Reached only from inside dlsym: what it frees then is a few bytes, once.
    if (!next_free) return;
  }
  next_free(pointer);
}

void free(void *pointer) __attribute__((alias("ct_own_free")));

void ct_give_back(void *block) {
  if (heap_free) heap_free(block);
  else free(block);
}

// Not next_realloc: it would free the old block before we could record it, and another thread could
// be given its address in between.
static void *move(void *pointer, size_t bytes, uintptr_t caller, uintptr_t frame) {
  void *moved = bytes ? malloc(bytes) : NULL;
  if (bytes && !moved) return NULL;
  if (moved) {
    size_t skipped = (uintptr_t)pointer & 15;
    size_t old = malloc_usable_size((char *)pointer - skipped) - skipped;
    memcpy(moved, pointer, old < bytes ? old : bytes);
  }
  bstrtrace_release(pointer, true, caller, frame);
  return moved;
}

void *realloc(void *pointer, size_t bytes) {
  uintptr_t caller = ct_return_address(), frame = ct_frame_address();
  if (__builtin_expect(may_be_ours(pointer), 0)) {
    int saved = errno;
    bool ours = bstrtrace_holds(pointer);
    errno = saved;
    if (ours) return move(pointer, bytes, caller, frame);
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

#else

void ct_give_back(void *block) { free(block); }

#endif
