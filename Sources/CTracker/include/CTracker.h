/// \file CTracker.h
/// What the allocator's side needs and Swift cannot say: per-thread state, the caller's return
/// address, the filter that `free` consults before any Swift code may run, and the loader's view of
/// an address. Everything else is Swift.

#ifndef BSTRTRACE_CTRACKER_H
#define BSTRTRACE_CTRACKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CT_INLINE static inline __attribute__((always_inline))

// Each product has a copy of its own: two in one process must not mix.
#pragma GCC visibility push(hidden)

// MARK: per-thread state

/// What the tracker keeps for each thread. Zero is the valid initial state.
struct ct_thread {
  /// A page of scratch memory that this thread owns, or NULL before its first use.
  void *_Nullable scratch;
  /// The kernel's id of this thread; 0 when not yet asked for.
  uint32_t tid;
  /// Not 0 while this thread is inside the tracker: what happens then is not recorded.
  uint32_t busy;
};

/// 1 when preloaded (CInterpose defines that), 2 when linked: the weak definition here.
extern const uint32_t ct_role;

/// Initial-exec, so that reading it never allocates and is safe in `free` and in signal handlers.
extern _Thread_local struct ct_thread ct_thread_state
    __attribute__((tls_model("initial-exec")));

CT_INLINE struct ct_thread *_Nonnull ct_thread(void) { return &ct_thread_state; }

/// The kernel's id of the calling thread; a system call.
uint32_t ct_thread_id(void);

/// Writes "directory/pid.attempt.store"; false when it does not fit. Not Swift's formatting, which takes
/// locks of its run-time: a signal handler that forks may have interrupted their holder.
bool ct_store_path(char *_Nonnull path, size_t bytes, const char *_Nonnull directory, int attempt);

/// Whether an address lies in the stack of a thread that is alive. May allocate and read /proc.
bool ct_is_in_stack(pthread_t thread, uintptr_t address);

/// The address the function this is inlined into returns to.
CT_INLINE uintptr_t ct_return_address(void) { return (uintptr_t)__builtin_return_address(0); }

// MARK: the filter

/// Counters by hash of a block's address, saturating: 0 means that no block of ours is there.
/// Written under the lock of the shard whose bits open the index; read without one.
#define CT_FILTER_BITS 20
extern uint8_t ct_filter[1u << CT_FILTER_BITS];

/// False until the first block is recorded, so that other programs pay one load per `free`.
extern bool ct_filter_armed;

/// Spreads block addresses, which are multiples of 16, over 64 bits.
CT_INLINE uint64_t ct_hash(uintptr_t address) {
  uint64_t mixed = (uint64_t)(address >> 4) * 0x9E3779B97F4A7C15u;
  return mixed ^ (mixed >> 32) * 0xD6E8FEB86659FD93u;
}

CT_INLINE uint32_t ct_filter_index(uint64_t hash) {
  return (uint32_t)(hash >> (64 - CT_FILTER_BITS));
}

/// Caller holds the lock of the shard that owns the cell.
CT_INLINE void ct_filter_add(uint64_t hash) {
  uint8_t *cell = &ct_filter[ct_filter_index(hash)];
  uint8_t count = __atomic_load_n(cell, __ATOMIC_RELAXED);
  if (count != UINT8_MAX) __atomic_store_n(cell, (uint8_t)(count + 1), __ATOMIC_RELAXED);
  if (!__atomic_load_n(&ct_filter_armed, __ATOMIC_RELAXED))
    __atomic_store_n(&ct_filter_armed, true, __ATOMIC_RELAXED);
}

/// Caller holds the lock of the shard that owns the cell. A saturated cell stays saturated.
CT_INLINE void ct_filter_remove(uint64_t hash) {
  uint8_t *cell = &ct_filter[ct_filter_index(hash)];
  uint8_t count = __atomic_load_n(cell, __ATOMIC_RELAXED);
  if (count != UINT8_MAX && count != 0)
    __atomic_store_n(cell, (uint8_t)(count - 1), __ATOMIC_RELAXED);
}

/// Whether `block` may be one of ours. Never locks; false is certain.
CT_INLINE bool ct_filter_may_hold(const void *_Nullable block) {
  return __atomic_load_n(&ct_filter_armed, __ATOMIC_RELAXED) &&
         __atomic_load_n(&ct_filter[ct_filter_index(ct_hash((uintptr_t)block))],
                         __ATOMIC_RELAXED) != 0;
}

// MARK: records

/// Stores `value` after everything written before, for a reader of the mapped file.
CT_INLINE void ct_publish(uint64_t *_Nonnull place, uint64_t value) {
  __atomic_store_n(place, value, __ATOMIC_RELEASE);
}

// MARK: the loader

/// A loaded module as the loader knows it.
struct ct_module {
  /// First and one past the last mapped address.
  uintptr_t start, end;
  /// What was added to the file's virtual addresses when it was mapped.
  uintptr_t bias;
  /// The path it was loaded from; "" for the executable. Valid while the module is loaded.
  const char *_Nonnull path;
  /// Its build-id inside the mapped module, or NULL.
  const uint8_t *_Nullable buildID;
  uint32_t buildIDBytes;
};

/// The module that `address` lies in; all zero, with the path "", when it lies in none.
/// Neither locks nor allocates; safe in a forked child.
struct ct_module ct_find_module(uintptr_t address);

/// Counts the calls of `dlclose`, any of which may have given addresses back.
uint32_t ct_unload_count(void);

/// `name` as the code at `address` would find it without this library in the way, or NULL.
/// Takes the loader's lock: the caller holds none.
void *_Nullable ct_original_function(uintptr_t address, const char *_Nonnull name);

/// Whether `bytes` bytes at `address` can be read. Never faults.
bool ct_is_readable(uintptr_t address, size_t bytes);

/// Reads up to 8 bytes, which can be read, as a little-endian number. Sanitizers are not told: what
/// is read may lie between the program's blocks.
uint64_t ct_peek(uintptr_t address, size_t bytes);

/// Bytes that the heap has set aside for its live block, at least as many as were asked for.
size_t ct_usable_bytes(uintptr_t block);

/// Whether `malloc` is glibc's own, so that its chunks can be judged.
bool ct_heap_is_glibc(void);

/// Takes back the crash handlers that the Swift runtime installs, when the program itself is not
/// written in Swift: a traced C program must die as it would have died alone.
void ct_remove_swift_crash_handlers(void);

#pragma GCC visibility pop

#endif
