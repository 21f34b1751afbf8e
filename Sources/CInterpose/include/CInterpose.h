/// \file CInterpose.h
/// The functions of libc that the tracker interposes, to see blocks freed without SysFreeString:
/// `free`, `realloc` and `reallocarray`; and to see the process begin to end: `exit` and
/// `__cxa_thread_atexit_impl`. They must work before the Swift runtime is up, so they are C and
/// consult only the filter of CTracker.h. Pointers that may be registered are passed to the Swift
/// functions declared here.
///
/// A pointer means a registered block when it is the block's start, which is what private copies of
/// SysFreeString free, or any other address in or next to the block: a fault, or a free by a copy
/// of another layout.

#ifndef BSTRTRACE_CINTERPOSE_H
#define BSTRTRACE_CINTERPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "CTracker.h"

#pragma GCC visibility push(hidden)

/// Returns the start of the block, live or quarantined, that `pointer` means; NULL when it means no
/// registered block. Takes locks, one at a time.
const void *_Nullable bstrtrace_block(const void *_Nonnull pointer);

/// Frees the registered block that `pointer` means, if any, and records the fault in that. `caller`
/// is where `free` or, with `isRealloc`, `realloc` returns to, and `frame` its frame. Takes locks,
/// one at a time. Returns false, with nothing done, when it means none.
bool bstrtrace_release(void *_Nonnull pointer, bool isRealloc, uintptr_t caller,
                       uintptr_t frame);

/// Called when the process begins to end by `exit` or a return from `main`, before any destructor
/// of its static objects and of the calling thread's thread-local ones, once `ct_watch_end` was
/// called. `stack` is the lowest address of the calling thread's stack that belongs to the program,
/// with `is_destructor` only if `main` has not returned. May be called more than once.
void bstrtrace_ending(uintptr_t stack, bool is_destructor);

/// Has `bstrtrace_ending` called when the process begins to end. Called by the main thread, or else
/// a return from `main` may not be seen. May allocate, and takes the loader's lock.
void ct_watch_end(void);

/// Returns whether `pointer`, given to `free`, may mean a registered block. Never locks; false is
/// certain.
bool ct_may_be_registered(const void *_Nullable pointer);

/// Returns whether other modules' calls of glibc's `free` come to this library, directly or through
/// another copy of it. They do not where it was opened late: modules loaded before are bound to
/// libc. True for other heaps.
bool ct_is_free_watched(void);

/// The `free` of the heap: not this library's own where that is the first that the loader finds.
extern void (*_Nonnull ct_free_of_heap)(void *_Nullable);

/// Frees a block that is no longer registered to the heap.
CT_INLINE void ct_heap_free(void *_Nullable block) { ct_free_of_heap(block); }

#pragma GCC visibility pop

#endif
