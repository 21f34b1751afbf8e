/// \file CTracker.h
/// What the allocator's side needs and Swift cannot say: per-thread state, the caller's return
/// address, the filter that `free` consults before any Swift code may run, and the loader's view of
/// an address. Everything else is Swift.

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

/// See `ct_recorder.serve`. Takes locks.
void bstrtrace_serve(struct ct_request *_Nonnull request);

/// 1 when preloaded (CInterpose defines that), 2 when linked: the weak definition here.
extern const uint32_t ct_role;

// MARK: threads

/// Words of scratch memory for each thread.
#define CT_SCRATCH_WORDS 640

/// Scopes that a thread can be in at once.
#define CT_SCOPES 60

/// What the tracker keeps for a thread that uses it. Never unmapped, for a thread that forks looks at
/// everyone's: what one thread leaves is another's to take.
struct ct_thread {
  /// Whether the thread is inside the tracker. Only it writes this.
  bool inside;
  /// Whether there is such a thread.
  bool taken;
  /// What `errno` was outside, and where this thread's is: asking for that is a call.
  int saved_errno;
  int *_Nonnull errno_place;
  /// The kernel's id of the thread.
  uint32_t tid;
  pthread_t pthread;
  struct ct_thread *_Nullable next;
  /// Numbers of allocations that are set aside for this thread: the next one, and one past the last.
  uint64_t next_serial, end_serial;
  /// What UnwindCache.swift keeps for the thread; NULL before its first use. Never unmapped.
  void *_Nullable unwind_cache;
  /// The part of the registry whose quarantine this thread takes from next.
  uint32_t next_shard;
  /// What FreeSiteCounts.swift keeps for it, likewise.
  void *_Nullable pair_counts;
  /// Whether the thread tries out a program's own functions: what they call of ours is passed on to their own.
  bool probing;
  /// The string that was made meanwhile, and how far in front of it a block was then freed; -1 for none.
  uintptr_t probed_string;
  int32_t probed_offset;
  /// The scopes that the thread has begun or joined, the innermost last. Only it uses them.
  uint32_t scope_count;
  uint32_t scopes[CT_SCOPES];
  uint64_t scratch[CT_SCRATCH_WORDS];
};

/// Tells the scope of the code that runs, where threads do not: Swift's tasks. Called inside; NULL where
/// nobody asks, and never changed back.
extern uint32_t (*_Nullable ct_task_scope)(void);

CT_INLINE void ct_set_task_scope_provider(uint32_t (*_Nonnull scope)(void)) {
  __atomic_store_n(&ct_task_scope, scope, __ATOMIC_RELEASE);
}

/// Initial-exec, so that reading it never allocates and is safe in `free` and in signal handlers.
extern _Thread_local struct ct_thread *_Nullable ct_this_thread
    __attribute__((tls_model("initial-exec")));

/// Whether a thread forks, and the others are to stay outside until it has.
extern bool ct_is_forking;

/// Gives the calling thread its place; NULL when there is no memory for one. Safe in signal handlers.
struct ct_thread *_Nullable ct_take_thread(void);

/// Waits, outside, until nobody forks any more, or for a second.
void ct_wait_for_fork(struct ct_thread *_Nonnull thread);

/// Goes inside the tracker. Everything that takes a lock of ours, or of the Swift run-time, is done
/// inside: a fork waits until nobody is there, so that its child finds no lock held.
///
/// Returns NULL to who is inside already (a signal handler, a function that we call) and to a thread
/// that no memory is left for. What they do is not recorded.
CT_INLINE struct ct_thread *_Nullable ct_enter(void) {
  struct ct_thread *thread = ct_this_thread;
  if (__builtin_expect(!thread, 0)) thread = ct_take_thread();
  if (!thread || thread->inside) return NULL;
  __atomic_store_n(&thread->inside, true, __ATOMIC_RELAXED);
  // The processor may still do the next read before that write is seen: who forks sees to it with
  // membarrier(2), so that nobody else has to.
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (__builtin_expect(__atomic_load_n(&ct_is_forking, __ATOMIC_ACQUIRE), 0))
    ct_wait_for_fork(thread);
  thread->saved_errno = *thread->errno_place;
  return thread;
}

/// Leaves, with `errno` as it was; nothing for NULL, which `ct_enter` answers to who does not leave yet.
CT_INLINE void ct_leave(struct ct_thread *_Nullable thread) {
  if (!thread) return;
  *thread->errno_place = thread->saved_errno;
  __atomic_store_n(&thread->inside, false, __ATOMIC_RELEASE);
}

/// The calling thread's place. Only inside.
CT_INLINE struct ct_thread *_Nonnull ct_thread(void) {
  return (struct ct_thread *_Nonnull)ct_this_thread;
}

/// The calling thread's scratch memory. Only inside.
CT_INLINE uint64_t *_Nonnull ct_scratch(void) { return ct_thread()->scratch; }

/// Whether the running code may be in a scope. Only inside.
CT_INLINE bool ct_may_be_in_scope(void) {
  return ct_thread()->scope_count != 0 || __atomic_load_n(&ct_task_scope, __ATOMIC_RELAXED);
}

/// The scope of the running task, 0 for none. Only inside.
CT_INLINE uint32_t ct_scope_of_task(void) {
  uint32_t (*scope)(void) = __atomic_load_n(&ct_task_scope, __ATOMIC_ACQUIRE);
  return scope ? scope() : 0;
}

/// Waits until nobody is inside, or for a second, and keeps the others out. Before a fork. Nothing in
/// a signal handler that forks in the middle of our own work, or of another fork.
void ct_begin_fork(void);

/// Lets the others in again. After the fork, in the parent.
void ct_end_fork(void);

/// Forgets the threads that are gone. After the fork, in the child.
void ct_end_fork_in_child(void);

/// The kernel's id of the living thread whose stack an address lies in, of those that have used the
/// tracker; 0 for none. May allocate and read /proc.
uint32_t ct_thread_with_stack_at(uintptr_t address);

// MARK: small things

/// Writes "directory/pid.attempt.store"; false when it does not fit. Not Swift's formatting, which takes
/// locks of its run-time: a signal handler that forks may have interrupted their holder.
bool ct_store_path(char *_Nonnull path, size_t bytes, const char *_Nonnull directory, int attempt);

/// Puts question marks in place of control characters, and of those that change the direction or form of
/// the text around them: a message may name what is the program's.
void ct_make_printable(char *_Nonnull line, size_t bytes);

/// Writes to standard error, in one line, that something is wrong with a scope. A name of no bytes is left
/// out.
void ct_warn_scope_misuse(const void *_Nonnull name, size_t bytes, uint32_t scope,
                          const uint8_t *_Nonnull what);

/// Nanoseconds of the monotonic clock, to the kernel's tick: a few ms, at a quarter of the price.
CT_INLINE uint64_t ct_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/// How long the machine has been suspended since it started, in hundredths of a second: what the monotonic clock
/// leaves out.
CT_INLINE uint32_t ct_suspended(void) {
  struct timespec all, awake;
  if (clock_gettime(CLOCK_MONOTONIC, &awake) != 0 || clock_gettime(CLOCK_BOOTTIME, &all) != 0) return 0;
  return (uint32_t)((all.tv_sec - awake.tv_sec) * 100 + (all.tv_nsec - awake.tv_nsec) / 10000000);
}

// Both addresses pass through an empty statement that the optimiser must leave where it stands: a compiler
// may move the unlikely half of a function into one of its own (`.cold`), where they would be that
// one's and name the library as the caller. They are therefore taken first, and passed on.

/// The address the function this is inlined into returns to. To be called in front of any branch.
CT_INLINE uintptr_t ct_return_address(void) {
  uintptr_t address = (uintptr_t)__builtin_return_address(0);
  __asm__ volatile("" : "+r"(address));
  return address;
}

/// The frame of the function this is inlined into: its caller's frame pointer stands there, and behind it
/// the return address. To be called in front of any branch.
CT_INLINE uintptr_t ct_frame_address(void) {
  uintptr_t address = (uintptr_t)__builtin_frame_address(0);
  __asm__ volatile("" : "+r"(address));
  return address;
}

/// Keeps the frame that `ct_frame_address` names: a call that comes before this is not made a jump.
CT_INLINE void ct_keep_frame(void) { __asm__ volatile(""); }

// MARK: several copies

/// A function of one copy of this library that another one, which records, is to carry out.
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
  CT_SET_PROFILE = 11,
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

/// A call of a function of one copy that another one is to carry out.
struct ct_request {
  uint32_t operation;
  /// The function's arguments, in order.
  uintptr_t arguments[3];
  /// Where the call returns to, and its frame.
  uintptr_t caller, frame;
  /// What the function returns.
  uintptr_t results[3];
};

#define CT_RECORDER_VERSION 1

/// What a copy shows to the others. Its start is the same in all versions.
struct ct_recorder {
  uint32_t version;
  /// Whether it is the one that records.
  uint32_t is_recording;
  /// Carries out a call as if its own function had been called from there.
  void (*_Nonnull serve)(struct ct_request *_Nonnull request);
};

extern struct ct_recorder ct_own_recorder;

/// Decides which copy records, once. Whatever of this library runs first calls it.
void ct_choose_recorder(void);

/// The copy that records in place of this one; NULL where this one does.
extern struct ct_recorder *_Nullable ct_other_recorder;

/// Whether a copy of another version is there, so that this one works without recording.
extern bool ct_is_other_version;

CT_INLINE bool ct_has_other_recorder(void) { return ct_other_recorder != NULL; }
CT_INLINE bool ct_meets_other_version(void) { return ct_is_other_version; }

/// Asks the copy that records.
CT_INLINE void ct_ask_recorder(struct ct_request *_Nonnull request) {
  ct_other_recorder->serve(request);
}

/// Whether an address lies in a copy of this library, of whichever version. Takes no lock.
bool ct_is_in_copy(const void *_Nullable address);

/// Whether an address lies in the copy that records in place of this one.
bool ct_is_in_other_recorder(uintptr_t address);

// MARK: the tracker

/// This process's tracker, once it has started: known to Tracker.swift alone.
extern void *_Nullable ct_tracker;

CT_INLINE void *_Nullable ct_get_tracker(void) {
  return __atomic_load_n(&ct_tracker, __ATOMIC_ACQUIRE);
}

CT_INLINE void ct_set_tracker(void *_Nonnull tracker) {
  __atomic_store_n(&ct_tracker, tracker, __ATOMIC_RELEASE);
}

// MARK: switched off

/// While nothing is recorded or pinned and all callers have one layout, so that the functions need not go
/// inside: that layout, as a `StoredLayout`. 0 otherwise.
extern uint8_t ct_fast_path_layout;

CT_INLINE uint8_t ct_get_fast_path_layout(void) {
  return __atomic_load_n(&ct_fast_path_layout, __ATOMIC_RELAXED);
}

CT_INLINE void ct_set_fast_path_layout(uint8_t layout) {
  __atomic_store_n(&ct_fast_path_layout, layout, __ATOMIC_RELAXED);
}

// MARK: layouts of callers

// A function whose last act is a call jumps, so that the call returns to the caller's caller: which module the code
// at a return address belongs to does not tell whose call it was. While all modules have one layout that does not
// matter, and callers are told apart by page of code, in a table that the processor's cache holds. From the first
// module on that is opened later, or has another layout, they are told apart by call.
//
// Words have a key in the upper 56 bits and a `StoredLayout` in the lower 8, with `CT_GUESSED`. They are written
// and read without a lock.

/// The caller's own layout is not known: what its code allocates and counts is to be looked up each time.
#define CT_GUESSED 0x80

/// By page of code: the key is the page's number.
#define CT_PAGE_LAYOUTS 1024
extern uint64_t ct_page_layouts[CT_PAGE_LAYOUTS];

/// By call, two ways a set: the key is where the call returns to.
#define CT_CALL_LAYOUTS 4096
extern uint64_t ct_call_layouts[CT_CALL_LAYOUTS][2];

/// The last of the modules that the program was started with, as long as pages are enough; else one that nothing
/// ever comes behind.
extern const struct link_map *_Nonnull ct_newest_module;

/// Whether a module was opened since the program was started, so that pages are not enough any more.
CT_INLINE bool ct_has_newer_module(void) {
  return __atomic_load_n(&ct_newest_module->l_next, __ATOMIC_RELAXED) != NULL;
}

/// By call alone.
uint64_t ct_layout_of_call(uintptr_t return_address);

/// The `StoredLayout` of who calls; 0 or more than 255 when it is not there, and more than 127 when it is a guess.
CT_INLINE uint64_t ct_layout_of_caller(uintptr_t return_address) {
  uint64_t page = return_address >> 12;
  uint64_t layout =
      __atomic_load_n(&ct_page_layouts[page % CT_PAGE_LAYOUTS], __ATOMIC_RELAXED) ^ page << 8;
  if (__builtin_expect(layout > UINT8_MAX || ct_has_newer_module(), 0))
    return ct_layout_of_call(return_address);
  return layout;
}

/// Keeps the layout of who calls.
void ct_set_layout_of_caller(uintptr_t return_address, uint8_t layout);

/// Tells callers apart by page until a module is opened.
///
/// - Parameter last: of the modules that the program was started with, the last.
void ct_tell_pages_apart(const struct link_map *_Nonnull last);

/// Tells callers apart by call from now on.
void ct_tell_calls_apart(void);

/// The `StoredLayout` of callers of whom nothing is known. Safe in signal handlers.
extern uint8_t ct_assumed_layout;

CT_INLINE uint8_t ct_get_assumed_layout(void) {
  return __atomic_load_n(&ct_assumed_layout, __ATOMIC_RELAXED);
}

CT_INLINE void ct_set_assumed_layout(uint8_t layout) {
  __atomic_store_n(&ct_assumed_layout, layout, __ATOMIC_RELAXED);
}

/// Forgets those of all calls: code was unloaded, or a layout has become another one.
void ct_forget_layouts(void);

// MARK: locks

/// A lock. Zero is the valid initial state, and what a forked child makes of it. Inlined, because it is taken
/// twice for each string.
struct ct_lock {
  /// 1 while it is held.
  uint32_t held;
  /// How many sleep until it is free.
  uint32_t sleepers;
};

/// Waits for a lock that is held, and takes it.
void ct_lock_wait(struct ct_lock *_Nonnull lock);

/// Wakes one that sleeps.
void ct_lock_wake(struct ct_lock *_Nonnull lock);

/// Takes a lock. Returns whether somebody else held it.
CT_INLINE bool ct_lock_acquire(struct ct_lock *_Nonnull lock) {
  // Without other threads it takes no more than a store, as in malloc: nobody starts one inside.
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

/// A store and a load, which the processor may do in either order: who goes to sleep in between is not
/// woken, and looks again after a millisecond.
CT_INLINE void ct_lock_release(struct ct_lock *_Nonnull lock) {
  __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
  if (__builtin_expect(__atomic_load_n(&lock->sleepers, __ATOMIC_RELAXED), 0)) ct_lock_wake(lock);
}

// MARK: the filter

/// Counters by hash of a block's address, saturating: 0 means that no block of ours is there.
/// Written under the lock of the shard whose bits open the index; read without one.
#define CT_FILTER_BITS 20
extern uint8_t ct_filter[1u << CT_FILTER_BITS];

/// What `free` is to do with a pointer: 0 until the first block is recorded, so that other programs pay one
/// load per `free`; `CT_ASK_FILTER` from then on; `CT_ASK_RECORDER` where another copy of this library records.
/// `CT_PROBE` is added for each thread that tries out a
/// program's own functions.
extern uint32_t ct_free_mode;
#define CT_ASK_FILTER 1u
#define CT_ASK_RECORDER 2u
#define CT_PROBE 4u

/// Whether the calling thread tries functions out.
CT_INLINE bool ct_is_probing(void) { return ct_this_thread && ct_this_thread->probing; }

/// Begins and ends that the calling thread tries functions out. Only inside.
void ct_begin_probe(void);
void ct_end_probe(void);

/// Ends what other threads had begun to try out when this process was forked, which never ends here.
void ct_end_probes_in_child(void);

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
  if (!(__atomic_load_n(&ct_free_mode, __ATOMIC_RELAXED) & CT_ASK_FILTER))
    __atomic_fetch_or(&ct_free_mode, CT_ASK_FILTER, __ATOMIC_RELAXED);
}

/// Caller holds the lock of the shard that owns the cell. A saturated cell stays saturated.
CT_INLINE void ct_filter_remove(uint64_t hash) {
  uint8_t *cell = &ct_filter[ct_filter_index(hash)];
  uint8_t count = __atomic_load_n(cell, __ATOMIC_RELAXED);
  if (count != UINT8_MAX && count != 0)
    __atomic_store_n(cell, (uint8_t)(count - 1), __ATOMIC_RELAXED);
}

/// How many blocks the cell of an address counts; 255 or more of them when it is saturated.
CT_INLINE uint8_t ct_filter_count(uintptr_t address) {
  return __atomic_load_n(&ct_filter[ct_filter_index(ct_hash(address))], __ATOMIC_RELAXED);
}

/// Whether a block of ours may start in the 16 bytes around an address. Never locks; false is certain.
CT_INLINE bool ct_filter_may_hold(uintptr_t address) {
  return ct_filter_count(address) != 0;
}

// MARK: recognised stacks

/// Whether the frame at `frame` and those behind it, `count` in all, hold what pairs of words say, of which the
/// first says where the next frame is: behind it, as the stack's callers are. False, too, where they do not lie
/// on one page: what can be read of one can then not be read of all.
///
/// `count` is a constant; pairs are aligned to 16 bytes.
CT_INLINE bool ct_are_links(uintptr_t frame, const uintptr_t *_Nonnull pairs, int count) {
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

// MARK: records

/// Eight bytes from any address, which Swift would call a function for in so large a one.
CT_INLINE uint64_t ct_load64(const void *_Nonnull place) {
  uint64_t word;
  __builtin_memcpy(&word, place, sizeof word);
  return word;
}

/// Two bytes, likewise.
CT_INLINE uint16_t ct_load16(const void *_Nonnull place) {
  uint16_t word;
  __builtin_memcpy(&word, place, sizeof word);
  return word;
}

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

/// Has the constructors of this library and of the Swift run-time run, if they have not. The loader may
/// run those of a library first that does not depend on this one, and that library may call us.
void ct_initialise(void);

/// The module that `address` lies in; all zero, with the path "", when it lies in none.
/// Neither locks nor allocates; safe in a forked child.
struct ct_module ct_find_module(uintptr_t address);

/// Counts the calls of `dlclose`, any of which may have given addresses back, and what else makes stacks'
/// numbers mean something else.
extern uint32_t ct_unloads;

/// Whether other modules' calls of `dlclose` do not come to this library: anything may have been unloaded since
/// the last look.
extern bool ct_are_unloads_unseen;

uint32_t ct_count_unloads_anew(void);

CT_INLINE bool ct_sees_unloads(void) { return !ct_are_unloads_unseen; }

CT_INLINE uint32_t ct_unload_count(void) {
  if (__builtin_expect(ct_are_unloads_unseen, 0)) return ct_count_unloads_anew();
  return __atomic_load_n(&ct_unloads, __ATOMIC_ACQUIRE);
}

/// Raises that count. In a forked child, whose stacks are numbered anew.
void ct_invalidate_stack_caches(void);

/// A number for the module that `address` lies in, which another one that is mapped there later does not have; 0
/// for none.
uint64_t ct_module_identity(uintptr_t address);

/// Whether the module that `address` lies in imports or defines any of the BSTR functions. Takes no lock.
bool ct_uses_functions(uintptr_t address);

/// The function that was called where a call returns to `return_address`, which may have jumped to another one; 0
/// where it was called through a register or from memory, or cannot be told. Takes no lock.
uintptr_t ct_called_function(uintptr_t return_address);

/// Whether that can be told on this architecture; else all calls are taken for calls of this library's functions.
extern const bool ct_decodes_calls;

/// The SysFreeString of the only module that defines one; 0 for none or several. Takes the loader's lock.
uintptr_t ct_only_copy(void);

/// Sets what is called with a handle before `dlclose` gives it back. It may run inside the loader's lock.
void ct_tell_unloads(void (*_Nonnull before)(void *_Nonnull handle));

/// A way through the list of the modules that are loaded, with room for what is read on it.
struct ct_modules {
  /// The module that came last.
  struct ct_module module;
  /// The loader's entry of the next module, and the name of the one before.
  uintptr_t next, name;
  /// How many more are looked at.
  uint32_t left;
  /// The count of unloads when it began.
  uint32_t unloads;
  /// Whether a module was passed over.
  bool isBroken;
  /// Whether the module that came last is the executable.
  bool isExecutable;
  char path[4096];
  _Alignas(8) uint8_t header[4096];
  _Alignas(8) uint8_t notes[1024];
};

/// Whether so many bytes are left of the stack that the thread was given for its signal handlers; true where it
/// does not run on that.
bool ct_handler_stack_has(size_t bytes);

/// Begins at the executable, or at the module of a handle: those that were loaded later come behind it.
///
/// Until `ct_end_modules`, `dlclose` waits in other threads. Nothing of this locks, waits, allocates or reads
/// memory that may be gone, so that it is right at any time, in a signal handler and in a forked child, too.
void ct_begin_modules(struct ct_modules *_Nonnull modules, const void *_Nullable first);

/// Goes to the next module, whose path and build-id are not read yet; false behind the last one.
bool ct_next_module(struct ct_modules *_Nonnull modules);

/// Reads the path and the build-id of the module that came last; false when it is no file.
bool ct_identify_module(struct ct_modules *_Nonnull modules);

/// Ends what `ct_begin_modules` began, and answers whether every module was among those that came, and none was
/// unloaded meanwhile.
bool ct_end_modules(const struct ct_modules *_Nonnull modules);

/// Around what may unload modules: waits for those who look at the list, which is not for long.
void ct_begin_close(void);
void ct_end_close(void);

/// Forgets the closing threads of the parent, in a forked child.
void ct_forget_closing(void);

/// `name` as the code at `address` would find it without this library in the way, or NULL.
/// Takes the loader's lock where the function comes neither from what the program was started with nor from the
/// module at `address` itself: the caller holds none.
void *_Nullable ct_original_function(uintptr_t address, const char *_Nonnull name);

/// Whether `bytes` bytes at `address` can be read. Never faults.
bool ct_is_readable(uintptr_t address, size_t bytes);

/// Reads up to 8 bytes, which can be read, as a little-endian number. Sanitizers are not told: what
/// is read may lie between the program's blocks.
uint64_t ct_peek(uintptr_t address, size_t bytes);

/// Bytes that the heap has set aside for its live block, at least as many as were asked for.
size_t ct_usable_bytes(uintptr_t block);

/// What glibc marks freed blocks in its threads' caches with, 0 where that cannot be told. Allocates and
/// frees.
uint64_t ct_tcache_key(void);

/// Whether `malloc` is glibc's own, so that its chunks can be judged.
bool ct_heap_is_glibc(void);

/// Whether `malloc` is a sanitizer's, which can be asked for its blocks.
bool ct_heap_is_sanitizers(void);

/// Bytes of the sanitizer's live block that starts at an address; 0 where none does.
size_t ct_sanitizer_block_bytes(uintptr_t block);

/// Takes back the crash handlers that the Swift runtime installs, when the program itself is not
/// written in Swift: a traced C program must die as it would have died alone.
void ct_remove_swift_crash_handlers(void);

#pragma GCC visibility pop

#endif
