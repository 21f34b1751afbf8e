// The thread slots that threads.c takes and releases, and that fork.c waits for.

#ifndef CT_THREADS_H
#define CT_THREADS_H

#include <sys/syscall.h>
#include <unistd.h>

#include "CTracker.h"

#pragma GCC visibility push(hidden)

/// The slots of all threads, the newest first. Slots are added without a lock, and never removed.
extern struct ct_thread *ct_threads;

/// The count of slots that no thread has, with an unwind cache.
extern uint32_t ct_idle_caches;

/// Held while a thread ends, and while the stacks of living threads are looked at.
extern pthread_mutex_t ct_leaving;

/// Returns the kernel's id of the calling thread.
static inline uint32_t ct_kernel_id(void) { return (uint32_t)syscall(SYS_gettid); }

#pragma GCC visibility pop

#endif
