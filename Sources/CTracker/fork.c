// The fork handlers: wait until no thread holds its recursion guard, and release the slots of the
// threads that a child does not have.

#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "CTracker.h"
#include "threads.h"

bool ct_is_forking;

// Held by the thread that forks; others wait for it.
static pthread_mutex_t forking = PTHREAD_MUTEX_INITIALIZER;

// Give up after 1 s: a longer wait is a deadlock with the thread that waits.
static struct timespec deadline(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_sec += 1;
  return time;
}

static bool is_past(const struct timespec *deadline) {
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

static bool holds_guard(void) {
  const struct ct_thread *slot = ct_locals()->slot;
  return slot && slot->inside;
}

void ct_watch_forks(void (*begin)(void), void (*end)(void), void (*end_in_child)(void)) {
  struct ct_front *front = ct_front();
  if (!front) {
    pthread_atfork(begin, end, end_in_child);
    return;
  }
  // Each is called where one was called before.
  front->end_fork_in_child = end_in_child;
  front->end_fork = end;
  __atomic_store_n(&front->begin_fork, begin, __ATOMIC_RELEASE);
}

void ct_begin_fork(void) {
  if (ct_locals()->forking++ > 0 || holds_guard()) return;
  pthread_mutex_lock(&forking);
  __atomic_store_n(&ct_is_forking, true, __ATOMIC_SEQ_CST);
  // Without it, other threads' writes are visible within far less than this.
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) usleep(1000);
  struct timespec end = deadline();
  struct ct_thread *thread = __atomic_load_n(&ct_threads, __ATOMIC_ACQUIRE);
  for (; thread; thread = thread->next)
    for (int turn = 0; __atomic_load_n(&thread->inside, __ATOMIC_ACQUIRE); turn++) {
      if (turn >= 100 && is_past(&end)) break;
      if (turn < 100) sched_yield(); else usleep(100);
    }
}

void ct_end_fork(void) {
  if (--ct_locals()->forking > 0 || holds_guard()) return;
  // A child that a signal handler forked in the meantime has begun anew.
  if (!__atomic_load_n(&ct_is_forking, __ATOMIC_RELAXED)) return;
  __atomic_store_n(&ct_is_forking, false, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&forking);
}

void ct_end_fork_in_child(void) {
  ct_locals()->forking--;
  pthread_mutex_init(&forking, NULL);
  pthread_mutex_init(&ct_leaving, NULL);
  ct_is_forking = false;
  ct_idle_caches = 0;
  struct ct_thread *slot = ct_locals()->slot;
  for (struct ct_thread *thread = ct_threads; thread; thread = thread->next) {
    if (thread == slot) continue;
    thread->inside = false;
    thread->taken = false;
    if (thread->unwind_cache) ct_idle_caches++;
  }
  if (!slot) return;
  slot->tid = ct_kernel_id();
  // Open scopes and serial numbers that were set aside are the parent's.
  slot->scope_count = 0;
  slot->next_serial = slot->end_serial = 0;
}
