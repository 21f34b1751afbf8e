// Knows the threads that use the tracker: who is inside, and what a fork has to wait for.

#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "CTracker.h"

_Thread_local struct ct_thread *ct_this_thread __attribute__((tls_model("initial-exec")));
bool ct_is_forking;
uint32_t (*ct_task_scope)(void);

static struct ct_thread *threads;

// Held by the thread that forks; others wait for it.
static pthread_mutex_t forking = PTHREAD_MUTEX_INITIALIZER;
// A signal handler may fork while its thread is forking.
static _Thread_local uint32_t fork_depth __attribute__((tls_model("initial-exec")));

// Held while a thread goes, and while the stacks of those that are there are looked at.
static pthread_mutex_t leaving = PTHREAD_MUTEX_INITIALIZER;

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

// MARK: places

static uint32_t kernel_id(void) { return (uint32_t)syscall(SYS_gettid); }

static void release_thread_slot(void *memory) {
  struct ct_thread *thread = memory;
  ct_this_thread = NULL;
  pthread_mutex_lock(&leaving);
  __atomic_store_n(&thread->inside, false, __ATOMIC_RELAXED);
  __atomic_store_n(&thread->taken, false, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&leaving);
}

static void prepare(void) {
  pthread_key_create(&key, release_thread_slot);
  syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

static bool take(struct ct_thread *thread) {
  bool nobodys = false;
  return __atomic_compare_exchange_n(&thread->taken, &nobodys, true, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED);
}

// No lock: a signal handler may come here while its thread does.
struct ct_thread *ct_take_thread(void) {
  ct_initialise();
  if (ct_this_thread) return ct_this_thread;
  // Where another copy of this library records, nobody goes inside this one.
  ct_choose_recorder();
  if (ct_other_recorder) return NULL;
  struct ct_thread *thread = __atomic_load_n(&threads, __ATOMIC_ACQUIRE);
  while (thread && !take(thread)) thread = thread->next;
  if (!thread) {
    thread = mmap(NULL, sizeof *thread, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (thread == MAP_FAILED) return NULL;
    thread->taken = true;
    thread->next = __atomic_load_n(&threads, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&threads, &thread->next, thread, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
    }
  }
  thread->tid = kernel_id();
  thread->errno_place = &errno;
  thread->scope_count = 0;
  thread->probing = false;
  thread->next_serial = thread->end_serial = 0;
  thread->pthread = pthread_self();
  ct_this_thread = thread;
  pthread_once(&key_once, prepare);
  pthread_setspecific(key, thread);
  return thread;
}

static bool is_in_stack(const struct ct_thread *place, uintptr_t address) {
  pthread_t thread = place->pthread;
  pthread_attr_t attributes;
  void *start = NULL;
  size_t bytes = 0;
  // Who uses BSTRs in the last of its thread's destructors is not seen going.
  if (syscall(SYS_tgkill, getpid(), place->tid, 0) != 0) return false;
  if (pthread_getattr_np(thread, &attributes) != 0) return false;
  pthread_attr_getstack(&attributes, &start, &bytes);
  pthread_attr_destroy(&attributes);
  return address - (uintptr_t)start < bytes;
}

uint32_t ct_thread_with_stack_at(uintptr_t address) {
  uint32_t found = 0;
  pthread_mutex_lock(&leaving);
  struct ct_thread *thread = __atomic_load_n(&threads, __ATOMIC_ACQUIRE);
  for (; thread && !found; thread = thread->next)
    if (__atomic_load_n(&thread->taken, __ATOMIC_ACQUIRE) && is_in_stack(thread, address))
      found = thread->tid;
  pthread_mutex_unlock(&leaving);
  return found;
}

// MARK: forks

// Nothing may hang for our sake: what takes longer than this is waiting for the one who waits.
static struct timespec deadline(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_sec += 1;
  return time;
}

static bool is_over(const struct timespec *deadline) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec > deadline->tv_sec ||
         (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

void ct_wait_for_fork(struct ct_thread *thread) {
  do {
    __atomic_store_n(&thread->inside, false, __ATOMIC_RELEASE);
    struct timespec end = deadline();
    bool waited = pthread_mutex_timedlock(&forking, &end) == 0;
    if (waited) pthread_mutex_unlock(&forking);
    __atomic_store_n(&thread->inside, true, __ATOMIC_SEQ_CST);
    if (!waited) return;
  } while (__atomic_load_n(&ct_is_forking, __ATOMIC_SEQ_CST));
}

static bool is_inside(void) { return ct_this_thread && ct_this_thread->inside; }

void ct_begin_fork(void) {
  if (fork_depth++ > 0 || is_inside()) return;
  pthread_mutex_lock(&forking);
  __atomic_store_n(&ct_is_forking, true, __ATOMIC_SEQ_CST);
  // Without it, what others have written is seen by all within far less than this.
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) usleep(1000);
  struct timespec end = deadline();
  struct ct_thread *thread = __atomic_load_n(&threads, __ATOMIC_ACQUIRE);
  for (; thread; thread = thread->next)
    for (int turn = 0; __atomic_load_n(&thread->inside, __ATOMIC_ACQUIRE); turn++) {
      if (turn >= 100 && is_over(&end)) break;
      if (turn < 100) sched_yield(); else usleep(100);
    }
}

void ct_end_fork(void) {
  if (--fork_depth > 0 || is_inside()) return;
  // A child that a signal handler forked in the meantime has begun anew.
  if (!__atomic_load_n(&ct_is_forking, __ATOMIC_RELAXED)) return;
  __atomic_store_n(&ct_is_forking, false, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&forking);
}

void ct_end_fork_in_child(void) {
  fork_depth--;
  pthread_mutex_init(&forking, NULL);
  pthread_mutex_init(&leaving, NULL);
  ct_is_forking = false;
  for (struct ct_thread *thread = threads; thread; thread = thread->next) {
    if (thread == ct_this_thread) continue;
    thread->inside = false;
    thread->taken = false;
  }
  if (!ct_this_thread) return;
  ct_this_thread->tid = kernel_id();
  // They are the parent's.
  ct_this_thread->scope_count = 0;
  ct_this_thread->next_serial = ct_this_thread->end_serial = 0;
}
