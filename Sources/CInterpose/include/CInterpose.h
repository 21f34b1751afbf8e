/// \file CInterpose.h
/// The functions of libc that the preloaded tracker stands in front of: `free`, `realloc`,
/// `reallocarray`, `_exit` and `_Exit`. They must work before the Swift runtime is up, so they are
/// C and consult only the filter of CTracker.h. What they find is handed to the Swift functions
/// declared here.

#ifndef BSTRTRACE_CINTERPOSE_H
#define BSTRTRACE_CINTERPOSE_H

#include <stdbool.h>

/// Called once, before the program's own constructors.
void bstrtrace_preload_started(void);

/// Called when the program's own destructors have run.
void bstrtrace_preload_ending(void);

/// Called before a `_exit` or `_Exit` of the program, with its status.
void bstrtrace_preload_exiting(int status);

/// Whether `block` is the start of a live block of ours. Takes a shard lock.
bool bstrtrace_owns_block(const void *_Nonnull block);

/// Records that the program released the block itself, by a private copy of SysFreeString.
/// Does nothing when the block is not ours. Takes a shard lock. Does not free.
void bstrtrace_block_released(const void *_Nonnull block);

#endif
