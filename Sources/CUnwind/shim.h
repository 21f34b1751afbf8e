// Reaches libunwind's local unwinder, whose names are macros that Swift cannot see.

#ifndef BSTRTRACE_CUNWIND_SHIM_H
#define BSTRTRACE_CUNWIND_SHIM_H

#define UNW_LOCAL_ONLY
#include <libunwind.h>

/// Fills `addresses` with return addresses, innermost first; returns how many, at most `limit`.
/// Neither allocates nor locks when each frame was met before on this thread.
static inline int cunwind_unwind(void *_Nullable *_Nonnull addresses, int limit) {
  return unw_backtrace(addresses, limit);
}

/// Where a function's call frame information was found (libgcc's unwind-dw2-fde.h).
struct cunwind_bases {
  void *_Nullable text, *_Nullable data, *_Nullable function;
};

/// The call frame information of the code at an address, NULL where there is none. Of libgcc, which looks
/// it up without a lock. The information is the loaded module's own.
extern const void *_Nullable _Unwind_Find_FDE(void *_Nonnull address,
                                              struct cunwind_bases *_Nonnull bases);

/// Gives each thread an unwind cache of its own, large enough for deep programs.
static inline void cunwind_tune(void) {
  unw_set_caching_policy(unw_local_addr_space, UNW_CACHE_PER_THREAD);
  unw_set_cache_size(unw_local_addr_space, 1024, 0);
}

#endif
