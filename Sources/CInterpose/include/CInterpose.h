/// \file CInterpose.h
/// The functions of libc that the tracker stands in front of, to see blocks released without
/// SysFreeString: `free`, `realloc` and `reallocarray`. They must work before the Swift runtime is
/// up, so they are C and consult only the filter of CTracker.h. What it lets through is handed to the
/// Swift functions declared here.
///
/// A pointer is ours when it is the start of a block of ours, which is how private copies of
/// SysFreeString release it, or a BSTR of ours, which is a fault that is recorded.

#ifndef BSTRTRACE_CINTERPOSE_H
#define BSTRTRACE_CINTERPOSE_H

#include <stdbool.h>
#include <stdint.h>

/// Whether the memory at `pointer` is ours: live or in quarantine. Takes a lock.
bool bstrtrace_holds(const void *_Nonnull pointer);

/// Releases the block that `pointer` names, if it is ours, and records what is wrong with that.
/// `caller` is where `free` or, with `isRealloc`, `realloc` returns to, and `frame` its frame. Takes locks,
/// one at a time.
/// Returns false, with nothing done, when it is not ours.
bool bstrtrace_release(void *_Nonnull pointer, bool isRealloc, uintptr_t caller,
                       uintptr_t frame);

#pragma GCC visibility push(hidden)

/// `free`, past our own where that is the one that everybody calls: for what is no more ours.
void ct_give_back(void *_Nullable block);

#pragma GCC visibility pop

#endif
