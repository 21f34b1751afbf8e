// Takes and releases the slots of the threads that use the tracker.

#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CTracker.h"
#include "threads.h"

uint32_t (*ct_task_scope)(void);

struct ct_thread *ct_threads;

pthread_mutex_t ct_leaving = PTHREAD_MUTEX_INITIALIZER;

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

// Slots that are not taken and have an unwind cache, for threads to come: their memory is bounded by
// this many caches, and a program that starts a thread for each task maps none for it.
#define CT_IDLE_CACHES 16

uint32_t ct_idle_caches;

// Leaves the unwind cache to the next thread, or unmaps it.
static void leave_cache(struct ct_thread *thread) {
  void *cache = thread->unwind_cache;
  if (!cache) return;
  if (__atomic_fetch_add(&ct_idle_caches, 1, __ATOMIC_RELAXED) < CT_IDLE_CACHES) return;
  __atomic_fetch_sub(&ct_idle_caches, 1, __ATOMIC_RELAXED);
  // In this order: a child that another thread forks meanwhile has no slot with unmapped memory.
  __atomic_store_n(&thread->unwind_cache, NULL, __ATOMIC_RELEASE);
  munmap(cache, thread->unwind_cache_bytes);
}

static void release_thread_slot(void *memory) {
  struct ct_thread *thread = memory;
  ct_locals()->slot = NULL;
  leave_cache(thread);
  pthread_mutex_lock(&ct_leaving);
  __atomic_store_n(&thread->inside, false, __ATOMIC_RELAXED);
  __atomic_store_n(&thread->taken, false, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&ct_leaving);
}

static void prepare(void) {
  pthread_key_create(&key, release_thread_slot);
  syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

static bool take(struct ct_thread *thread) {
  bool expected = false;
  return __atomic_compare_exchange_n(&thread->taken, &expected, true, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED);
}

// Takes no lock but at the process's very first call, which may wait for the loader: a signal
// handler may interrupt its thread here and take a slot, too.
struct ct_thread *ct_take_thread(void) {
  ct_initialise();
  if (ct_locals()->slot) return ct_locals()->slot;
  // Where another copy of this library records, no thread takes a recursion guard of this one.
  ct_choose_recorder();
  if (ct_other_recorder) return NULL;
  struct ct_thread *thread = __atomic_load_n(&ct_threads, __ATOMIC_ACQUIRE);
  while (thread && !take(thread)) thread = thread->next;
  if (thread && thread->unwind_cache) __atomic_fetch_sub(&ct_idle_caches, 1, __ATOMIC_RELAXED);
  if (!thread) {
    thread = mmap(NULL, sizeof *thread, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (thread == MAP_FAILED) return NULL;
    thread->taken = true;
    thread->next = __atomic_load_n(&ct_threads, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&ct_threads, &thread->next, thread, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
    }
  }
  thread->tid = ct_kernel_id();
  thread->errno_location = &errno;
  thread->scope_count = 0;
  thread->probing = false;
  thread->next_serial = thread->end_serial = 0;
  thread->pthread = pthread_self();
  ct_locals()->slot = thread;
  pthread_once(&key_once, prepare);
  pthread_setspecific(key, thread);
  return thread;
}

static bool is_in_stack(const struct ct_thread *slot, uintptr_t address) {
  pthread_t thread = slot->pthread;
  pthread_attr_t attributes;
  void *start = NULL;
  size_t bytes = 0;
  // A thread that uses BSTRs in its last thread-local destructor ends without releasing its slot.
  if (syscall(SYS_tgkill, getpid(), slot->tid, 0) != 0) return false;
  if (pthread_getattr_np(thread, &attributes) != 0) return false;
  pthread_attr_getstack(&attributes, &start, &bytes);
  pthread_attr_destroy(&attributes);
  return address - (uintptr_t)start < bytes;
}

uint32_t ct_thread_with_stack_at(uintptr_t address) {
  uint32_t found = 0;
  pthread_mutex_lock(&ct_leaving);
  struct ct_thread *thread = __atomic_load_n(&ct_threads, __ATOMIC_ACQUIRE);
  for (; thread && !found; thread = thread->next)
    if (__atomic_load_n(&thread->taken, __ATOMIC_ACQUIRE) && is_in_stack(thread, address))
      found = thread->tid;
  pthread_mutex_unlock(&ct_leaving);
  return found;
}
