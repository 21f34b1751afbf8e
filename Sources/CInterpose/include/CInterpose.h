/// \file CInterpose.h
/// The functions of libc that the tracker stands in front of, to see blocks released without
/// SysFreeString: `free`, `realloc` and `reallocarray`. They must work before the Swift runtime is
/// up, so they are C and consult only the filter of CTracker.h. What it lets through is handed to the
/// Swift functions declared here.
///
/// A pointer is ours when it is the start of a block of ours, which is how private copies of
/// SysFreeString release it, or any other address in or next to one: a fault, or the release by a copy of
/// another layout.

#ifndef BSTRTRACE_CINTERPOSE_H
#define BSTRTRACE_CINTERPOSE_H

#include <stdbool.h>
#include <stdint.h>

/// The start of the block, live or in quarantine, that `pointer` means; NULL when it is none of ours. Takes
/// locks, one at a time.
const void *_Nullable bstrtrace_block(const void *_Nonnull pointer);

/// Releases the block that `pointer` names, if it is ours, and records what is wrong with that.
/// `caller` is where `free` or, with `isRealloc`, `realloc` returns to, and `frame` its frame. Takes locks,
/// one at a time.
/// Returns false, with nothing done, when it is not ours.
bool bstrtrace_release(void *_Nonnull pointer, bool isRealloc, uintptr_t caller,
                       uintptr_t frame);

#pragma GCC visibility push(hidden)

/// Whether `pointer`, given to `free`, may mean a block of ours. Never locks; false is certain.
bool ct_may_be_ours(const void *_Nullable pointer);

/// Whether other modules' calls of glibc's `free` come to this library, directly or through another copy of it. They
/// do not where it was opened late: modules that were there are bound to libc. True for other heaps.
bool ct_is_free_watched(void);

/// `free`, past our own where that is the one that everybody calls: for what is no more ours.
void ct_heap_free(void *_Nullable block);

#pragma GCC visibility pop

#endif
