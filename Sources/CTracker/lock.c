// Waits for the locks of CTracker.h: spins, then sleeps on a futex.

#define _GNU_SOURCE
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "CTracker.h"

// Spin first: critical sections are shorter than a futex wait.
enum { TURNS = 100 };

static bool take(struct ct_lock *lock) {
  uint32_t expected = 0;
  return __atomic_load_n(&lock->held, __ATOMIC_RELAXED) == 0 &&
         __atomic_compare_exchange_n(&lock->held, &expected, 1, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED);
}

void ct_lock_wait(struct ct_lock *lock) {
  for (int turn = 0; turn < TURNS; turn++) {
    if (take(lock)) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  static const struct timespec millisecond = {.tv_nsec = 1000000};
  __atomic_fetch_add(&lock->sleepers, 1, __ATOMIC_SEQ_CST);
  while (!take(lock))
    syscall(SYS_futex, &lock->held, FUTEX_WAIT_PRIVATE, 1, &millisecond, NULL, 0);
  __atomic_fetch_sub(&lock->sleepers, 1, __ATOMIC_SEQ_CST);
}

void ct_lock_wake(struct ct_lock *lock) {
  syscall(SYS_futex, &lock->held, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
