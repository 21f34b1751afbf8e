// Notices that the process begins to end by `exit`, before any destructor runs: interposes `exit`,
// which libc does not call where `main` returns, and `__cxa_thread_atexit_impl`, to keep a
// thread-local destructor of the main thread the newest one, which libc calls first then. Decides
// nothing.

#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CInterpose.h"
#include "CTracker.h"

typedef int registration(void (*destroy)(void *), void *object, void *module);

static void (*next_exit)(int);
static registration *next_registration;

// Whether the end is to be noticed.
static bool is_watched;

// Looked up before the process ends: by then another thread may hold the loader's lock for ever,
// which libc's own `exit` takes only after the program's handlers.
__attribute__((constructor(101))) static void find_next(void) {
  if (!next_exit) next_exit = (void (*)(int))ct_next_function("exit");
  if (!next_registration)
    next_registration = (registration *)ct_next_function("__cxa_thread_atexit_impl");
}

static bool is_main_thread(void) { return syscall(SYS_gettid) == getpid(); }

// The thread-local destructor: `main` has returned, or libc has called its own `exit`, as `err`
// does.
static void main_returned(void *unused) {
  (void)unused;
  bstrtrace_ending(ct_frame_address() + 16, true);
}

static void renew(void) {
  if (next_registration) next_registration(main_returned, NULL, &is_watched);
}

void ct_watch_end(void) {
  find_next();
  __atomic_store_n(&is_watched, true, __ATOMIC_RELEASE);
  if (is_main_thread()) renew();
}

__attribute__((visibility("hidden"))) void ct_own_exit(int status) {
  uintptr_t frame = ct_frame_address();
  // Above this frame there is the caller's: two saved words are between.
  if (__atomic_load_n(&is_watched, __ATOMIC_ACQUIRE)) bstrtrace_ending(frame + 16, false);
  if (!next_exit) find_next();
  // Not a call: what the destructors do is to be seen as without this library.
  __attribute__((musttail)) return next_exit(status);
}

void exit(int status) __attribute__((alias("ct_own_exit")));

// Not in any header: what C++ and other run-times register thread-local destructors with.
int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *module) {
  if (!next_registration) find_next();
  int result = next_registration ? next_registration(destroy, object, module) : -1;
  // The newest one is called first.
  if (__atomic_load_n(&is_watched, __ATOMIC_ACQUIRE) && is_main_thread()) renew();
  return result;
}
