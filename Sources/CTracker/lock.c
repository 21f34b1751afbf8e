// Waiting for the locks of CTracker.h, with the kernel's help.

#define _GNU_SOURCE
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CTracker.h"

// What is guarded takes less time than going to sleep.
enum { TURNS = 100 };

void ct_lock_wait(uint32_t *lock) {
  for (int turn = 0; turn < TURNS; turn++) {
    uint32_t expected = 0;
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) == 0 &&
        __atomic_compare_exchange_n(lock, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
      return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  // Whoever sleeps marks the lock, and takes it with the mark: others may sleep, too.
  while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
    syscall(SYS_futex, lock, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

void ct_lock_wake(uint32_t *lock) { syscall(SYS_futex, lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }
