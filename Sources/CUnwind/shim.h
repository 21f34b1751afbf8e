// Reaches libunwind's local unwinder, whose names are macros that Swift cannot see.

#ifndef BSTRTRACE_CUNWIND_SHIM_H
#define BSTRTRACE_CUNWIND_SHIM_H

#define UNW_LOCAL_ONLY
#include <libunwind.h>

/// Fills `addresses` with return addresses, innermost first; returns how many, at most `limit`.
/// Neither allocates nor locks when each frame was met before on this thread.
static inline int cunwind_walk(void *_Nullable *_Nonnull addresses, int limit) {
  return unw_backtrace(addresses, limit);
}

/// Gives each thread an unwind cache of its own, large enough for deep programs.
static inline void cunwind_tune(void) {
  unw_set_caching_policy(unw_local_addr_space, UNW_CACHE_PER_THREAD);
  unw_set_cache_size(unw_local_addr_space, 1024, 0);
}

#endif
