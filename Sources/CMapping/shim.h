// Moves memory mappings: `mremap` has variable arguments, which Swift cannot pass.

#ifndef BSTRTRACE_CMAPPING_SHIM_H
#define BSTRTRACE_CMAPPING_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

/// Moves `bytes` of a mapping to an address, in place of what is mapped there. Both are page
/// aligned. Returns false, with nothing changed, where the kernel has no room for another mapping.
static inline bool cmapping_move(void *_Nonnull from, size_t bytes, void *_Nonnull to) {
  return mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED;
}

#endif
