/// \file CTrackerTesting.h
/// What the allocator's tests need and Swift cannot say: call frame information of loaded libraries, libunwind's
/// answer to it, states of the heap, the whole of the filter, and what CTracker keeps to itself of names and copies.

#ifndef BSTRTRACE_CTRACKERTESTING_H
#define BSTRTRACE_CTRACKERTESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// MARK: call frame information

/// A function that has an entry (FDE) in a module's call frame information.
struct ctt_function {
  uintptr_t start, bytes;
};

/// The registers that a frame is unwound from and to.
struct ctt_frame {
  uintptr_t address, stack_pointer, frame_pointer;
};

/// Lists the functions of a loaded module that its `.eh_frame_hdr` names.
///
/// \param library the end of the module's path; "" for the program itself.
/// \returns how many there are; the first `room` of them are written.
size_t ctt_functions(const char *_Nonnull library, struct ctt_function *_Nullable functions,
                     size_t room);

/// Asks libunwind for the caller of a frame. The stack that the frame's pointers name is read.
///
/// \param frame becomes the caller's; its address is a return address before and after.
/// \returns more than 0 where there is a caller, 0 where there is none, less where libunwind does not know.
int ctt_unwind(struct ctt_frame *_Nonnull frame);

// MARK: the heap

/// `ct_tcache_key` of a new thread whose caches are full for the sizes behind those that it tries.
uint64_t ctt_key_with_full_caches(void);

// MARK: the filter

/// The sum of all the filter's cells.
size_t ctt_filter_total(void);

// MARK: names and copies

/// The counts of functions and of linkages, both of which are numbered from 0; linkage 0 is none.
int ctt_function_count(void);
int ctt_linkage_count(void);

/// `ct_symbol_of`, `ct_function_named` and `ct_find_name`.
const char *_Nullable ctt_symbol(int function, int linkage);
int ctt_function_named(const char *_Nonnull name);
bool ctt_find_name(const char *_Nonnull symbol, int *_Nonnull function, int *_Nonnull linkage);

/// `ct_first_definition` without a caller.
const void *_Nullable ctt_first_definition(const char *_Nonnull symbol);

/// How many modules define a symbol, 2 standing for more; -1 where not all were looked at.
int ctt_definitions(const char *_Nonnull symbol);

#endif
