/// \file CTracker.h
/// The parts of the allocator's side that Swift cannot express: per-thread state, the caller's
/// return address, the filter that `free` consults before any Swift code may run, and the loader's
/// view of an address. Everything else is Swift.

#ifndef BSTRTRACE_CTRACKER_H
#define BSTRTRACE_CTRACKER_H

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/single_threaded.h>
#include <time.h>

#define CT_INLINE static inline __attribute__((always_inline))

// Each product has a copy of its own: two in one process must not mix.
#pragma GCC visibility push(hidden)

struct ct_request;

/// Carries out a request of another copy; see `ct_recorder.serve`. Takes locks.
void bstrtrace_serve(struct ct_request *_Nonnull request);

/// The `RecorderRole`: 1 when preloaded (CPreload defines that), 2 when linked, by the weak
/// definition in state.c.
extern const uint32_t ct_role;

// MARK: start

/// Starts the product that this copy is part of. Called once, when Swift code may run. CPreload and
/// CLinked define it; the weak definition in start.c leaves a copy to its first use.
void ct_start_product(void);

/// Announces the string layout of this module's own strings, as bstr.h does for its includer.
/// CBSTR defines it.
void bstrtrace_announce(void);

/// Returns whether the Swift run-time is linked into this module.
bool ct_has_own_runtime(void);

// MARK: threads

/// Words of scratch memory of each thread.
#define CT_SCRATCH_WORDS 640

/// The limit of scopes that a thread is in at once.
#define CT_SCOPES 60

/// The slot of a thread that uses the tracker. Never unmapped, since a thread that forks looks at
/// all slots: another thread takes the slot of one that has ended.
struct ct_thread {
  /// Whether the thread holds its recursion guard, inside the tracker. Only that thread writes
  /// this.
  bool inside;
  /// Whether a thread has taken the slot.
  bool taken;
  /// The `errno` that the thread had when it took the guard, and the location of its `errno`, which
  /// would otherwise take a call to find.
  int saved_errno;
  int *_Nonnull errno_location;
  /// The kernel's id of the thread.
  uint32_t tid;
  pthread_t pthread;
  struct ct_thread *_Nullable next;
  /// The serial numbers that are set aside for this thread: the next one, and one past the last.
  uint64_t next_serial, end_serial;
  /// The memory of the thread's UnwindCache.swift; NULL before its first use. When the thread ends,
  /// it is left to the next one, or unmapped where enough is left already.
  void *_Nullable unwind_cache;
  size_t unwind_cache_bytes;
  /// The index of the shard from whose quarantine this thread evicts next.
  uint32_t next_shard;
  /// The thread's FreeSiteCounts.swift; NULL before its first use. Never unmapped.
  void *_Nullable pair_counts;
  /// Whether the thread probes a program's own functions: their calls of this library's are passed
  /// on to the original functions.
  bool probing;
  /// The string that was allocated meanwhile, and how many bytes in front of it a block was then
  /// freed; -1 for none.
  uintptr_t probed_string;
  int32_t probed_offset;
  /// The scopes that the thread has begun or joined, the innermost last. Only that thread uses
  /// them.
  uint32_t scope_count;
  uint32_t scopes[CT_SCOPES];
  uint64_t scratch[CT_SCRATCH_WORDS];
};

/// Returns the scope of the running code where the thread does not determine it: in Swift's tasks.
/// Called with the recursion guard held; NULL until a provider is set, and never reset.
extern uint32_t (*_Nullable ct_task_scope)(void);

CT_INLINE void ct_set_task_scope_provider(uint32_t (*_Nonnull scope)(void)) {
  __atomic_store_n(&ct_task_scope, scope, __ATOMIC_RELEASE);
}

/// What each thread has of the tracker's before and after it has a slot: static thread-local
/// storage, so that reading it never allocates and is safe in `free` and in signal handlers.
struct ct_locals {
  /// The thread's slot; NULL before it has one.
  struct ct_thread *_Nullable slot;
  /// How many forks the thread has begun: a signal handler may fork while its thread is forking.
  uint32_t forking;
  /// How many modules the thread is closing: destructors may close others.
  uint32_t closing;
  /// Whether the thread runs `ct_initialise`.
  bool initialising;
};

/// The distance of a thread's `ct_locals` from its thread pointer; 0 before it was asked for. An
/// opened library may get no static storage: the tracker that a library in front has loaded uses
/// that library's.
extern ptrdiff_t ct_locals_offset;

/// Returns that distance. CPreload defines it; the weak definition in locals.c is of storage of this
/// copy's own.
ptrdiff_t ct_find_locals_offset(void);

/// Returns the calling thread's.
CT_INLINE struct ct_locals *_Nonnull ct_locals(void) {
  ptrdiff_t offset = __atomic_load_n(&ct_locals_offset, __ATOMIC_RELAXED);
  if (__builtin_expect(offset == 0, 0)) {
    offset = ct_find_locals_offset();
    __atomic_store_n(&ct_locals_offset, offset, __ATOMIC_RELAXED);
  }
  return (struct ct_locals *)((char *)__builtin_thread_pointer() + offset);
}

/// Whether a thread forks, and the other threads wait for it before they take their guards.
extern bool ct_is_forking;

/// Takes a slot for the calling thread. Returns NULL when there is no memory for one, or another
/// copy records. Safe in signal handlers, but for the process's very first call, which may wait for
/// the loader's lock.
struct ct_thread *_Nullable ct_take_thread(void);

/// Releases the thread's recursion guard, waits until no thread forks, for a second at most, and
/// takes it again.
void ct_wait_for_fork(struct ct_thread *_Nonnull thread);

/// Takes the calling thread's recursion guard. Every lock of the tracker or of the Swift run-time
/// is taken with the guard held: a fork waits until no thread holds its guard, so that the child
/// finds no lock held.
///
/// Returns NULL for a nested entry (a signal handler, a function that the tracker calls), and where
/// there is no memory for a slot. The call is then not recorded.
CT_INLINE struct ct_thread *_Nullable ct_enter(void) {
  struct ct_thread *thread = ct_locals()->slot;
  if (__builtin_expect(!thread, 0)) thread = ct_take_thread();
  if (!thread || thread->inside) return NULL;
  __atomic_store_n(&thread->inside, true, __ATOMIC_RELAXED);
  // The processor may still do the next read before that write is seen: the thread that forks
  // handles that with membarrier(2), so that no other thread pays for it.
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (__builtin_expect(__atomic_load_n(&ct_is_forking, __ATOMIC_ACQUIRE), 0))
    ct_wait_for_fork(thread);
  thread->saved_errno = *thread->errno_location;
  return thread;
}

/// Releases the recursion guard and restores `errno`. NULL is a no-op (nested entry).
CT_INLINE void ct_leave(struct ct_thread *_Nullable thread) {
  if (!thread) return;
  *thread->errno_location = thread->saved_errno;
  __atomic_store_n(&thread->inside, false, __ATOMIC_RELEASE);
}

/// Returns the calling thread's slot. Caller holds the recursion guard.
CT_INLINE struct ct_thread *_Nonnull ct_thread(void) {
  return (struct ct_thread *_Nonnull)ct_locals()->slot;
}

/// Returns the calling thread's scratch memory. Caller holds the recursion guard.
CT_INLINE uint64_t *_Nonnull ct_scratch(void) { return ct_thread()->scratch; }

/// Returns whether the running code may be in a scope. Caller holds the recursion guard.
CT_INLINE bool ct_may_be_in_scope(void) {
  return ct_thread()->scope_count != 0 || __atomic_load_n(&ct_task_scope, __ATOMIC_RELAXED);
}

/// Returns the scope of the running task, 0 for none. Caller holds the recursion guard.
CT_INLINE uint32_t ct_scope_of_task(void) {
  uint32_t (*scope)(void) = __atomic_load_n(&ct_task_scope, __ATOMIC_ACQUIRE);
  return scope ? scope() : 0;
}

/// Waits until no thread holds its recursion guard, for a second at most, and keeps other threads
/// from taking theirs. Called before a fork. A no-op in a signal handler that forks while its
/// thread holds its guard, or is forking.
void ct_begin_fork(void);

/// Lets other threads take their guards again. Called after the fork, in the parent.
void ct_end_fork(void);

/// Releases the slots of the threads that the child does not have. Called after the fork, in the
/// child.
void ct_end_fork_in_child(void);

/// Returns the kernel's id of the living thread whose stack an address is in, of those that have
/// used the tracker; 0 for none. May allocate and read /proc.
uint32_t ct_thread_with_stack_at(uintptr_t address);

// MARK: small things

/// Writes "directory/pid.attempt.store" to `path`. Returns false when it does not fit. Not Swift's
/// formatting, which takes locks of its run-time: a signal handler that forks may have interrupted
/// their holder.
bool ct_store_path(char *_Nonnull path, size_t bytes, const char *_Nonnull directory, int attempt);

/// Replaces control characters, and those that change the direction or form of the text around
/// them, by question marks: a message may contain text of the program.
void ct_make_printable(char *_Nonnull line, size_t bytes);

/// Writes a line to standard error, made printable; nothing where it is longer than 1,400 bytes.
void ct_warn(const char *_Nonnull format, ...) __attribute__((format(printf, 1, 2)));

/// Writes to standard error, in one line, that a scope is misused. A name of no bytes is left out.
void ct_warn_scope_misuse(const void *_Nonnull name, size_t bytes, uint32_t scope,
                          const uint8_t *_Nonnull what);

/// Returns the nanoseconds of the monotonic clock, to the kernel's tick: a few ms, at a quarter of
/// the cost.
CT_INLINE uint64_t ct_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/// Returns the nanoseconds of the monotonic clock.
CT_INLINE uint64_t ct_precise_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/// Returns how long the machine has been suspended since it started, in hundredths of a second: the
/// time that the monotonic clock leaves out.
CT_INLINE uint32_t ct_suspended(void) {
  struct timespec all, awake;
  if (clock_gettime(CLOCK_MONOTONIC, &awake) != 0 || clock_gettime(CLOCK_BOOTTIME, &all) != 0) return 0;
  return (uint32_t)((all.tv_sec - awake.tv_sec) * 100 + (all.tv_nsec - awake.tv_nsec) / 10000000);
}

// Both addresses pass through an empty statement that the optimiser must leave where it is: a
// compiler may move the unlikely half of a function into one of its own (`.cold`), where they would
// be that function's and name the library as the caller. They are therefore taken first, and passed
// on.

/// Returns the address that the function this is inlined into returns to. Called before any branch.
CT_INLINE uintptr_t ct_return_address(void) {
  uintptr_t address = (uintptr_t)__builtin_return_address(0);
  __asm__ volatile("" : "+r"(address));
  return address;
}

/// Returns the frame of the function this is inlined into: the caller's frame pointer is saved
/// there, and the return address behind it. Called before any branch.
CT_INLINE uintptr_t ct_frame_address(void) {
  uintptr_t address = (uintptr_t)__builtin_frame_address(0);
  __asm__ volatile("" : "+r"(address));
  return address;
}

/// Keeps the frame that `ct_frame_address` returned: a call before this is not compiled to a jump.
CT_INLINE void ct_keep_frame(void) { __asm__ volatile(""); }

// MARK: the library in front

/// The library that is preloaded, as the tracker sees it that it has loaded (CFront). Its place in
/// the loader's order of search is the tracker's.
struct ct_front {
  /// How many threads are loading the tracker: of several such libraries in one process the tracker
  /// belongs to the one that loads it.
  uint32_t loading;
  /// Its module, and the distance of a thread's `ct_locals` in it from the thread pointer.
  const struct link_map *_Nonnull module;
  ptrdiff_t locals_offset;
  /// The last of the modules that the program was started with; NULL while it is being started.
  const struct link_map *_Nullable last_initial;
  /// Returns the definition of a function that comes next in the order of search; NULL for none.
  /// Takes the loader's lock.
  void *_Nullable (*_Nonnull next_function)(const char *_Nonnull name);
  /// Has the tracker's definitions of the functions called that the library exports.
  void (*_Nonnull bind)(const struct link_map *_Nonnull tracker);
  /// Called when the program's own destructors have run, once it is set.
  void (*_Nullable ending)(void);
  /// Called around forks, once they are set.
  void (*_Nullable begin_fork)(void), (*_Nullable end_fork)(void),
      (*_Nullable end_fork_in_child)(void);
};

/// Returns the library in front; NULL where this copy was not loaded by one. The first call takes a
/// lock of the loader's, while that loads this copy.
struct ct_front *_Nullable ct_front(void);

/// Has functions called around forks, for good.
void ct_watch_forks(void (*_Nonnull begin)(void), void (*_Nonnull end)(void),
                    void (*_Nonnull end_in_child)(void));

// MARK: several copies

/// The functions that a copy of this library passes on to the copy that records.
enum ct_operation {
  CT_ALLOCATE_TEXT = 1,
  CT_ALLOCATE_CHARACTERS = 2,
  CT_ALLOCATE_BYTES = 3,
  CT_FREE = 4,
  CT_REALLOCATE_TEXT = 5,
  CT_REALLOCATE_CHARACTERS = 6,
  CT_COUNT_CHARACTERS = 7,
  CT_PIN = 8,
  CT_UNPIN = 9,
  CT_CONCATENATE = 10,
  CT_SET_LAYOUT = 11,
  CT_OLECHAR_BYTES = 12,
  CT_DECLARE = 13,
  CT_IS_LIVE = 14,
  CT_BEGIN_SCOPE = 15,
  CT_CHANGE_SCOPE = 16,
  CT_END_SCOPE = 17,
  CT_HEAP_FREE = 18,
  CT_HEAP_BLOCK = 19,
  CT_EXIT_NOW = 20,
};

/// A call that one copy passes on to the copy that records.
struct ct_request {
  uint32_t operation;
  /// The function's arguments, in order.
  uintptr_t arguments[3];
  /// The return address of the call, and its frame.
  uintptr_t caller, frame;
  /// The values that the function returns.
  uintptr_t results[3];
};

#define CT_RECORDER_VERSION 1

/// The part of a copy that other copies see. Its start is the same in all versions.
struct ct_recorder {
  uint32_t version;
  /// Whether this copy records.
  uint32_t is_recording;
  /// Carries out a call as if this copy's function had been called from the request's caller.
  void (*_Nonnull serve)(struct ct_request *_Nonnull request);
};

extern struct ct_recorder ct_own_recorder;

/// Chooses the copy that records, once. Called by whichever function of this library runs first.
void ct_choose_recorder(void);

/// The copy that records in place of this one; NULL where this one records.
extern struct ct_recorder *_Nullable ct_other_recorder;

/// Whether a copy of another version is loaded, so that this one works without recording.
extern bool ct_is_other_version;

CT_INLINE bool ct_has_other_recorder(void) { return ct_other_recorder != NULL; }
CT_INLINE bool ct_meets_other_version(void) { return ct_is_other_version; }

/// Passes a request to the copy that records.
CT_INLINE void ct_ask_recorder(struct ct_request *_Nonnull request) {
  ct_other_recorder->serve(request);
}

/// Returns whether an address is in a copy of this library, of any version. Takes no lock.
bool ct_is_in_copy(const void *_Nullable address);

/// Returns whether an address is in the copy that records in place of this one.
bool ct_is_in_other_recorder(uintptr_t address);

// MARK: functions inside of modules

/// What has become of a module's own functions, its family.
enum ct_replacement {
  /// It has none that allocates, as far as its symbols show.
  CT_NO_FAMILY = 0,
  /// They were replaced.
  CT_REPLACED = 1,
  /// One is shorter than a jump.
  CT_IS_TOO_SMALL = 2,
  /// Another symbol is at the address of one.
  CT_IS_FOLDED = 3,
  /// One has clones, with calling conventions of their own.
  CT_IS_CLONED = 4,
  /// There are several of one name.
  CT_IS_REPEATED = 5,
  /// They are overloads: names of several linkages.
  CT_IS_OVERLOADED = 6,
  /// A compiler left only some.
  CT_IS_IN_PARTS = 7,
  /// The file is not what was loaded.
  CT_IS_CHANGED = 8,
  /// When they were tried out, they did not do what a BSTR's functions do.
  CT_IS_UNANSWERED = 9,
  /// There is no memory for jumps near the module.
  CT_IS_OUT_OF_REACH = 10,
  /// The code cannot be written to, or not all registers of the processor can be kept.
  CT_IS_UNWRITABLE = 11,
  /// The process had several threads.
  CT_HAS_THREADS = 12,
  /// It was opened later, and the loader does not say when nothing runs in it yet.
  CT_HAS_NO_MOMENT = 13,
  /// One was given at an address that is in no code of it.
  CT_IS_NO_CODE = 14,
  /// One was given at an address where no function starts, as far as the unwind information shows.
  CT_IS_NO_START = 15
};

/// Gives a function of a module by its address: its family is then replaced like one that symbols
/// show. Called before `ct_replace_families`.
///
/// - Parameters:
///   - module: the name of its file, a path that leads to it, or its build-id in lower-case
///     hexadecimal.
///   - function: the function's C name.
///   - offset: its address in the file's own address space, as a symbol's value.
void ct_give_function(const char *_Nonnull module, const char *_Nonnull function, uint64_t offset);

/// Replaces the functions inside of all modules that are loaded, each module's whole family or none
/// of it. Called once, when the process has one thread, with the recursion guard held.
///
/// - Parameters:
///   - olecharBytes: the layout, where it is given; else 0, and so `payloadOffset`.
///   - areAll: whether all modules are looked at, and not only those in which functions were given.
void ct_replace_families(uint32_t olecharBytes, uint32_t payloadOffset, bool areAll);

/// Returns whether functions are replaced, and those of modules that are opened later are not: the
/// loader does not tell of them.
bool ct_misses_opened_modules(void);

/// Returns what has become of the functions of the module that starts at an address. Caller holds
/// the recursion guard, here and below.
enum ct_replacement ct_replacement_of(uintptr_t module);

/// Returns whether any module has functions inside it that were replaced, or were to be.
bool ct_has_families(void);

/// The layout of a family that was replaced; zeros for none.
struct ct_replaced_layout {
  uint8_t olecharBytes, payloadOffset;
};

/// Returns the layout of the family that a SysFreeString belongs to.
struct ct_replaced_layout ct_replaced_layout_of(uintptr_t copy);

/// Renews the lock of what is known of families. Called in a forked child.
void ct_renew_families_in_child(void);

/// Carries out a call of a replaced function, in the layout of the module's strings. Takes locks.
///
/// - Parameters:
///   - operation: a `ct_operation`.
///   - arguments: three.
///   - caller: where the call returns to, and `frame` its frame.
/// - Returns: the function's result, in a word.
uintptr_t bstrtrace_call_in_layout(uint32_t operation, uint32_t olecharBytes,
                                   uint32_t payloadOffset, const uintptr_t *_Nonnull arguments,
                                   uintptr_t caller, uintptr_t frame);

// MARK: the tracker

/// This process's tracker, once it has started. Only Tracker.swift knows its type.
extern void *_Nullable ct_tracker;

CT_INLINE void *_Nullable ct_get_tracker(void) {
  return __atomic_load_n(&ct_tracker, __ATOMIC_ACQUIRE);
}

CT_INLINE void ct_set_tracker(void *_Nonnull tracker) {
  __atomic_store_n(&ct_tracker, tracker, __ATOMIC_RELEASE);
}

// MARK: fast path

/// The layout of the untracked fast path, as a `StoredLayout`: set while nothing is recorded or
/// pinned and all callers have one layout, so that the functions need no recursion guard. 0
/// otherwise.
extern uint8_t ct_fast_path_layout;

CT_INLINE uint8_t ct_get_fast_path_layout(void) {
  return __atomic_load_n(&ct_fast_path_layout, __ATOMIC_RELAXED);
}

CT_INLINE void ct_set_fast_path_layout(uint8_t layout) {
  __atomic_store_n(&ct_fast_path_layout, layout, __ATOMIC_RELAXED);
}

// MARK: layouts of callers

// A function whose last act is a call jumps (a tail call), so that the call returns to the caller's
// caller: the module of a return address need not be the module that called. While all modules have
// one layout that does not matter, and layouts are kept per page of code, in a table that fits the
// processor's cache. From the first module on that is opened later, or has another layout, they are
// kept per call site.
//
// Words have a key in the upper 56 bits and a `StoredLayout` in the lower 8, with `CT_GUESSED`.
// They are written and read without a lock.

/// Set where the caller's own layout is not known (`StoredLayout.isGuess`): it is looked up at each
/// allocation and count.
#define CT_GUESSED 0x80

/// The layouts by page of code, in the bits of the page's address that are 0.
#define CT_PAGE_LAYOUTS 1024
extern uint64_t ct_page_layouts[CT_PAGE_LAYOUTS];

/// A C++ name that this library exports (CxxNames.h).
struct ct_alias {
  /// This library's function, which a call by that name reaches.
  void *_Nonnull function;
  /// The C++ name.
  const char *_Nonnull symbol;
};

/// Returns the function that a call by a C++ name is for, which returns to `return_address`: this
/// library's, or the program's own once any module was met that has overloads: the functions under
/// names of more than one linkage. Takes no lock.
void *_Nonnull ct_alias_target(const struct ct_alias *_Nonnull alias, uintptr_t return_address);

/// The targets of calls by a C++ name, by page of code and name (`ct_alias_target`).
#define CT_ALIAS_PAGES 1024
extern struct ct_alias_page {
  uint64_t key, target;
} ct_alias_pages[CT_ALIAS_PAGES];

/// The layouts by call site, two ways a set: the key is the return address.
#define CT_CALL_LAYOUTS 4096
extern uint64_t ct_call_layouts[CT_CALL_LAYOUTS][2];

/// The last of the modules that the program was started with, while layouts are kept per page; else
/// one that is never followed by another.
extern const struct link_map *_Nonnull ct_newest_module;

/// Returns whether a module was opened since the program was started, so that layouts must be kept
/// per call site.
CT_INLINE bool ct_has_newer_module(void) {
  return __atomic_load_n(&ct_newest_module->l_next, __ATOMIC_RELAXED) != NULL;
}

/// Returns the layout by call site alone; see `ct_layout_of_caller`.
uint8_t ct_layout_of_call(uintptr_t return_address);

/// Returns the `StoredLayout` of the caller; 0 when none is kept.
CT_INLINE uint8_t ct_layout_of_caller(uintptr_t return_address) {
  uint64_t word = __atomic_load_n(&ct_page_layouts[(return_address >> 12) % CT_PAGE_LAYOUTS],
                                  __ATOMIC_RELAXED);
  if (__builtin_expect((word ^ return_address) >> 12 || ct_has_newer_module(), 0))
    return ct_layout_of_call(return_address);
  return (uint8_t)word;
}

/// Keeps the layout of a caller.
void ct_set_layout_of_caller(uintptr_t return_address, uint8_t layout);

/// Keeps layouts per page until a module is opened.
///
/// - Parameter last: the last of the modules that the program was started with.
void ct_tell_pages_apart(const struct link_map *_Nonnull last);

/// Keeps layouts per call site from now on.
void ct_tell_calls_apart(void);

/// The `StoredLayout` of callers whose layout is unknown. Safe in signal handlers.
extern uint8_t ct_assumed_layout;

CT_INLINE uint8_t ct_get_assumed_layout(void) {
  return __atomic_load_n(&ct_assumed_layout, __ATOMIC_RELAXED);
}

CT_INLINE void ct_set_assumed_layout(uint8_t layout) {
  __atomic_store_n(&ct_assumed_layout, layout, __ATOMIC_RELAXED);
}

/// Forgets the layouts of all callers: code was unloaded, or a layout has changed.
void ct_forget_layouts(void);

// MARK: locks

/// A lock. Zero is the valid initial state, to which a forked child resets it. Inlined, because it
/// is taken twice for each string.
struct ct_lock {
  /// 1 while the lock is held.
  uint32_t held;
  /// The count of threads that sleep until the lock is free.
  uint32_t sleepers;
};

/// Waits for a held lock, and takes it.
void ct_lock_wait(struct ct_lock *_Nonnull lock);

/// Wakes one sleeping thread.
void ct_lock_wake(struct ct_lock *_Nonnull lock);

/// Takes a lock. Returns whether another thread held it.
CT_INLINE bool ct_lock_acquire(struct ct_lock *_Nonnull lock) {
  // Without other threads a store is enough, as in malloc: no thread is started while the recursion
  // guard is held.
  if (__libc_single_threaded && !__atomic_load_n(&lock->held, __ATOMIC_RELAXED)) {
    __atomic_store_n(&lock->held, 1, __ATOMIC_RELAXED);
    return false;
  }
  uint32_t expected = 0;
  if (__atomic_compare_exchange_n(&lock->held, &expected, 1, false, __ATOMIC_ACQUIRE,
                                  __ATOMIC_RELAXED))
    return false;
  ct_lock_wait(lock);
  return true;
}

/// Releases a lock, by a store and a load. The processor may do them in either order: a thread that
/// goes to sleep in between is not woken, and looks again after a millisecond.
CT_INLINE void ct_lock_release(struct ct_lock *_Nonnull lock) {
  __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
  if (__builtin_expect(__atomic_load_n(&lock->sleepers, __ATOMIC_RELAXED), 0)) ct_lock_wake(lock);
}

// MARK: the filter

/// Saturating counters by hash of a block's address: 0 means that no registered block is there.
/// Written under the lock of the shard that the index's upper bits name; read without a lock.
#define CT_FILTER_BITS 20
extern uint8_t ct_filter[1u << CT_FILTER_BITS];

/// The mode of `free`: 0 until the first block is recorded, so that other programs pay one load per
/// `free`; `CT_ASK_FILTER` from then on; `CT_ASK_RECORDER` where another copy of this library
/// records. `CT_PROBE` is added for each thread that probes a program's own functions.
extern uint32_t ct_free_mode;
#define CT_ASK_FILTER 1u
#define CT_ASK_RECORDER 2u
#define CT_PROBE 4u

/// Returns whether the calling thread probes a program's own functions.
CT_INLINE bool ct_is_probing(void) {
  const struct ct_thread *slot = ct_locals()->slot;
  return slot && slot->probing;
}

/// Begin and end a probe by the calling thread. Caller holds the recursion guard.
void ct_begin_probe(void);
void ct_end_probe(void);

/// Ends the probes that other threads had begun when this process was forked, in the child.
void ct_end_probes_in_child(void);

/// Spreads the address of a block, a multiple of 16, over 64 bits.
CT_INLINE uint64_t ct_hash(uintptr_t address) {
  uint64_t mixed = (uint64_t)(address >> 4) * 0x9E3779B97F4A7C15u;
  return mixed ^ (mixed >> 32) * 0xD6E8FEB86659FD93u;
}

CT_INLINE uint32_t ct_filter_index(uint64_t hash) {
  return (uint32_t)(hash >> (64 - CT_FILTER_BITS));
}

/// Counts a block in its cell. Caller holds the lock of the shard that owns the cell.
CT_INLINE void ct_filter_add(uint64_t hash) {
  uint8_t *cell = &ct_filter[ct_filter_index(hash)];
  uint8_t count = __atomic_load_n(cell, __ATOMIC_RELAXED);
  if (count != UINT8_MAX) __atomic_store_n(cell, (uint8_t)(count + 1), __ATOMIC_RELAXED);
  if (!(__atomic_load_n(&ct_free_mode, __ATOMIC_RELAXED) & CT_ASK_FILTER))
    __atomic_fetch_or(&ct_free_mode, CT_ASK_FILTER, __ATOMIC_RELAXED);
}

/// Takes a block out of its cell. Caller holds the lock of the shard that owns the cell. A
/// saturated cell stays saturated.
CT_INLINE void ct_filter_remove(uint64_t hash) {
  uint8_t *cell = &ct_filter[ct_filter_index(hash)];
  uint8_t count = __atomic_load_n(cell, __ATOMIC_RELAXED);
  if (count != UINT8_MAX && count != 0)
    __atomic_store_n(cell, (uint8_t)(count - 1), __ATOMIC_RELAXED);
}

/// Returns the count of blocks in the cell of an address; 255 for 255 or more (saturated).
CT_INLINE uint8_t ct_filter_count(uintptr_t address) {
  return __atomic_load_n(&ct_filter[ct_filter_index(ct_hash(address))], __ATOMIC_RELAXED);
}

/// Returns whether a registered block may start in the 16 bytes around an address. Never locks;
/// false is certain.
CT_INLINE bool ct_filter_may_hold(uintptr_t address) {
  return ct_filter_count(address) != 0;
}

// MARK: unwind-cache hits

/// Returns whether the frame-pointer chain of `count` frames that starts at `frame` holds the given
/// pairs of words: each pair is the address of the caller's frame, which is at a higher address,
/// and the return address. Returns false, too, where the frames are not all on one page, since only
/// the first is known to be readable.
///
/// `count` is a constant; pairs are aligned to 16 bytes.
CT_INLINE bool ct_matches_chain(uintptr_t frame, const uintptr_t *_Nonnull pairs, int count) {
  typedef uint64_t pair __attribute__((vector_size(16), may_alias));
  typedef uint64_t unaligned_pair __attribute__((vector_size(16), aligned(8), may_alias));
  if ((frame ^ (pairs[2 * count - 4] + 15)) >> 12) return false;
  const pair *expected = (const pair *)pairs;
  pair difference = *(const unaligned_pair *)frame ^ expected[0];
#pragma GCC unroll 8
  for (int i = 1; i < count; i++)
    difference |= *(const unaligned_pair *)pairs[2 * i - 2] ^ expected[i];
  return (difference[0] | difference[1]) == 0;
}

/// Returns the first of `count` pairs whose word differs, NULL when there is none: each is the
/// address of a word on the stack, with bit 0 set, and its value. Reads no word behind one that
/// differs.
CT_INLINE const uintptr_t *_Nullable ct_first_mismatch(const uintptr_t *_Nonnull pairs,
                                                       uint32_t count) {
#define CT_MATCH(n)                                                            \
  _Pragma("GCC unroll 16") for (int i = 0; i < n; i++, pairs += 2)              \
    if (__builtin_expect(*(const uintptr_t *)(pairs[0] - 1) != pairs[1], 0)) return pairs
  for (; count >= 16; count -= 16) CT_MATCH(16);
  if (count & 8) CT_MATCH(8);
  if (count & 4) CT_MATCH(4);
  if (count & 2) CT_MATCH(2);
  if (count & 1) CT_MATCH(1);
#undef CT_MATCH
  return NULL;
}

// MARK: records

/// Loads eight bytes from any address. Swift would call a function for that in so large a function.
CT_INLINE uint64_t ct_load64(const void *_Nonnull address) {
  uint64_t word;
  __builtin_memcpy(&word, address, sizeof word);
  return word;
}

/// Loads two bytes, likewise.
CT_INLINE uint16_t ct_load16(const void *_Nonnull address) {
  uint16_t word;
  __builtin_memcpy(&word, address, sizeof word);
  return word;
}

/// Stores `value` with release ordering, for a reader of the mapped file.
CT_INLINE void ct_publish(uint64_t *_Nonnull address, uint64_t value) {
  __atomic_store_n(address, value, __ATOMIC_RELEASE);
}

// MARK: the loader

/// A loaded module, as the loader describes it.
struct ct_module {
  /// The first mapped address, and one past the last.
  uintptr_t start, end;
  /// The load bias: the difference of mapped addresses to the file's virtual addresses.
  uintptr_t bias;
  /// The path that it was loaded from; "" for the executable. Valid while the module is loaded.
  const char *_Nonnull path;
  /// Its build-id inside the mapped module, or NULL.
  const uint8_t *_Nullable buildID;
  uint32_t buildIDBytes;
};

/// Runs the constructors of this library and of the Swift run-time, if they have not run. The
/// loader may first run those of a library that does not depend on this one, and that library may
/// call this one.
void ct_initialise(void);

/// Returns the module that `address` is in; all zero, with the path "", when it is in none. Neither
/// locks nor allocates; safe in a forked child.
struct ct_module ct_find_module(uintptr_t address);

/// The count of calls of `dlclose`, any of which may have unmapped code, and of other events that
/// invalidate stack ids.
extern uint32_t ct_unloads;

/// Whether other modules' calls of `dlclose` do not come to this library: any module may have been
/// unloaded since the last look.
extern bool ct_are_unloads_unseen;

/// Raises the count, so that nothing is taken for what was at an address before, and returns it.
/// In a forked child, whose stack ids start anew, too.
uint32_t ct_invalidate_stack_caches(void);

/// Returns whether an address is in this module, or in the library in front of it.
bool ct_is_own(const void *_Nullable address);

/// Returns the definition of a function that comes after this library's; NULL where there is none,
/// or this library comes after all of them. Takes the loader's lock.
void *_Nullable ct_next_definition(const char *_Nonnull name);

/// Returns the definition of a function of libc, which this library interposes, that calls would
/// reach without this library. Takes the loader's lock.
void *_Nonnull ct_next_function(const char *_Nonnull name);

/// Drops a reference that RTLD_NOLOAD gave, by the next `dlclose`: nothing is unloaded.
void ct_drop_handle(void *_Nonnull handle);

/// Returns whether the calls of `dlclose` come to this library.
CT_INLINE bool ct_sees_unloads(void) { return !ct_are_unloads_unseen; }

/// Returns the count of unloads; where they are not seen, a new value each time.
CT_INLINE uint32_t ct_unload_count(void) {
  if (__builtin_expect(ct_are_unloads_unseen, 0)) return ct_invalidate_stack_caches();
  return __atomic_load_n(&ct_unloads, __ATOMIC_ACQUIRE);
}

/// Returns a hash that identifies the module that `address` is in, and that differs for another
/// module mapped there later; 0 for none.
uint64_t ct_module_identity(uintptr_t address);

/// Returns whether the module that `address` is in imports or defines any of the BSTR functions.
/// Takes no lock.
bool ct_uses_functions(uintptr_t address);

/// Returns the bytes of a character by the name under which that module uses the functions; 0 where
/// it has C's names, which do not tell. Takes no lock.
int ct_named_olechar_bytes(uintptr_t address);

/// Returns the function that was called by the call that returns to `return_address`, which may
/// have jumped to another one; 0 where it was called through a register or from memory, or is
/// unknown. Takes no lock.
uintptr_t ct_called_function(uintptr_t return_address);

/// Whether calls are decoded on this architecture; else all calls are taken for calls of this
/// library's functions.
extern const bool ct_decodes_calls;

/// Returns the SysFreeString of the only module that defines one; 0 for none or several. Takes the
/// loader's lock.
uintptr_t ct_only_copy(void);

/// Sets the function that is called with a handle before `dlclose` closes it. It may run inside the
/// loader's lock.
void ct_tell_unloads(void (*_Nonnull before)(void *_Nonnull handle));

/// An iteration over the loader's list of loaded modules, with buffers for the parts that are read.
struct ct_modules {
  /// The current module.
  struct ct_module module;
  /// The loader's entry of the next module, and the name of the current one.
  uintptr_t next, name;
  /// The count of modules that may still follow.
  uint32_t left;
  /// The count of unloads when the iteration began.
  uint32_t unloads;
  /// Whether a module was skipped.
  bool isBroken;
  /// Whether the current module is the executable.
  bool isExecutable;
  char path[4096];
  _Alignas(8) uint8_t header[4096];
  _Alignas(8) uint8_t notes[1024];
};

/// Returns whether `bytes` bytes are left of the thread's alternate signal stack; true where it
/// does not run on that.
bool ct_handler_stack_has(size_t bytes);

/// Begins an iteration at the executable, or at the module of a handle: modules that were loaded
/// later follow it.
///
/// Until `ct_end_modules`, `dlclose` waits in other threads. None of these functions locks, waits,
/// allocates or reads memory that may be unmapped, so that they may be called at any time, also in
/// a signal handler and in a forked child.
void ct_begin_modules(struct ct_modules *_Nonnull modules, const void *_Nullable first);

/// Advances to the next module, whose path and build-id are not read yet. Returns false after the
/// last one.
bool ct_next_module(struct ct_modules *_Nonnull modules);

/// Reads the path and the build-id of the current module. Returns false when it is no file.
bool ct_identify_module(struct ct_modules *_Nonnull modules);

/// Ends an iteration. Returns whether every module was visited, and none was unloaded meanwhile.
bool ct_end_modules(const struct ct_modules *_Nonnull modules);

/// Begin and end a call that may unload modules. The first waits for threads that read the list,
/// 10,000 yields at most.
void ct_begin_close(void);
void ct_end_close(void);

/// Forgets the threads of the parent that were in `dlclose`. Called in a forked child.
void ct_forget_closing(void);

/// Returns a function, by its C name, as the code at `address` would find it without this library,
/// under the name that this code has for it (CxxNames.h); NULL where there is none. Takes the
/// loader's lock where the function comes neither from what the program was started with nor from
/// the module at `address` itself: the caller holds none.
void *_Nullable ct_original_function(uintptr_t address, const char *_Nonnull function);

/// Returns the function, by its C name, that belongs to the SysFreeString at `copy`: of the same
/// module and the same linkage; NULL where that exports none. Takes no lock.
void *_Nullable ct_function_of_copy(uintptr_t copy, const char *_Nonnull function);

/// Returns whether `bytes` bytes at `address` can be read. Never faults.
bool ct_is_readable(uintptr_t address, size_t bytes);

/// Reads up to 8 readable bytes as a little-endian integer. Not instrumented by sanitizers: the
/// bytes may be between the program's blocks.
uint64_t ct_peek(uintptr_t address, size_t bytes);

/// Returns the usable bytes of a live block of the heap, at least as many as were requested.
size_t ct_usable_bytes(uintptr_t block);

/// Returns the key that glibc marks freed blocks in its threads' caches with (tcache_key), 0 where
/// it is unknown. Allocates and frees.
uint64_t ct_tcache_key(void);

/// Returns whether `malloc` is glibc's own, so that its chunks can be read.
bool ct_heap_is_glibc(void);

/// Returns whether `malloc` is a sanitizer's, which can be asked for its blocks.
bool ct_heap_is_sanitizers(void);

/// Returns the bytes of the sanitizer's live block that starts at an address; 0 where none does.
size_t ct_sanitizer_block_bytes(uintptr_t block);

// MARK: the process's memory

/// Begins a series of copies. Returns false where neither process_vm_readv(2) nor /proc/self/mem
/// can be used. One thread at a time.
bool ct_begin_copies(void);

/// Ends a series of copies.
void ct_end_copies(void);

/// Copies memory of this process. Returns how many bytes could be copied: all, or those in front of
/// memory that is not mapped. Never faults.
size_t ct_copy_memory(void *_Nonnull to, uintptr_t from, size_t bytes);

/// Writes the kernel's ids of the process's threads, at most `max`, and returns their count.
size_t ct_list_threads(uint32_t *_Nonnull threads, size_t max);

/// Returns the stack pointer of a thread that is blocked, and writes its program counter to `code`;
/// 0 where it is running, or not to be found out.
uintptr_t ct_blocked_stack(uint32_t thread, uintptr_t *_Nonnull code);

/// Returns the thread pointer (the address of glibc's `struct pthread`) of the calling thread, or
/// of one that has used the tracker; 0 for others.
uintptr_t ct_thread_pointer(uint32_t thread);

/// A module with thread-local variables.
struct ct_tls_module {
  /// Its index in each thread's table of thread-local blocks (the ELF TLS ABI's module ID).
  size_t id;
  /// Bytes of its thread-local variables.
  size_t bytes;
  /// An address in the module.
  uintptr_t address;
};

/// Writes the modules with thread-local variables, at most `max`, and returns their count. Takes
/// the loader's lock.
size_t ct_list_tls_modules(struct ct_tls_module *_Nonnull modules, size_t max);

/// Returns whether the executable needs the Swift run-time as a library.
bool ct_is_swift_program(void);

/// Returns whether an address is in libc, the loader, a copy of this library, or the Swift run-time
/// that it brought into a program that has none.
bool ct_is_system_module(uintptr_t address);

/// Returns whether an address is in libc.
bool ct_is_libc(uintptr_t address);

/// Returns whether a call instruction ends at an address in a module. Never faults. Always false on
/// other processors than x86-64.
bool ct_is_return_address(uintptr_t address);

/// Removes the crash handlers that the Swift runtime installs, when the program itself is not
/// written in Swift: a traced C program must end as it would without the tracker.
void ct_remove_swift_crash_handlers(void);

#pragma GCC visibility pop

#endif
