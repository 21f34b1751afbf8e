// Stands in front of libc's release functions, to see private copies of SysFreeString at work.
// Decides nothing: the filter says "certainly not ours" or "ask", and Swift answers.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CInterpose.h"
#include "CTracker.h"

const uint32_t ct_role = 1;

static void (*next_free)(void *);
static void *(*next_realloc)(void *, size_t);
static void (*next_exit)(int);

// Before the constructor has run, only the loader and other libraries' constructors call us.
static void find_next(void) {
  static bool busy;
  if (busy) return;
  busy = true;
  next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
  next_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
  next_exit = (void (*)(int))dlsym(RTLD_NEXT, "_exit");
  busy = false;
}

__attribute__((constructor(101))) static void started(void) {
  if (!next_free) find_next();
  bstrtrace_preload_started();
}

__attribute__((destructor(101))) static void ending(void) { bstrtrace_preload_ending(); }

static bool may_be_ours(const void *block) { return block && ct_filter_may_hold(block); }

void free(void *block) {
  if (__builtin_expect(may_be_ours(block), 0)) {
    int saved = errno;
    bstrtrace_block_released(block);
    errno = saved;
  }
  if (__builtin_expect(!next_free, 0)) {
    find_next();
    // Reached only from inside dlsym: what it frees then is a few bytes, once.
    if (!next_free) return;
  }
  next_free(block);
}

void *realloc(void *block, size_t bytes) {
  if (__builtin_expect(may_be_ours(block), 0)) {
    int saved = errno;
    bool ours = bstrtrace_owns_block(block);
    errno = saved;
    if (ours) {
      // Not next_realloc: it would free the old block before we could record it, and another
      // thread could be given its address in between.
      if (bytes == 0) {
        free(block);
        return NULL;
      }
      void *moved = malloc(bytes);
      if (!moved) return NULL;
      size_t old = malloc_usable_size(block);
      memcpy(moved, block, old < bytes ? old : bytes);
      free(block);
      return moved;
    }
  }
  if (__builtin_expect(!next_realloc, 0)) find_next();
  return next_realloc ? next_realloc(block, bytes) : NULL;
}

void *reallocarray(void *block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc(block, bytes);
}

void _exit(int status) {
  bstrtrace_preload_exiting(status);
  if (!next_exit) find_next();
  next_exit(status);
  __builtin_unreachable();
}

void _Exit(int status) { _exit(status); }
