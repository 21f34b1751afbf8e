// options: holders=on
// threads
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 1 12 in_exiting_thread held_at_exit_in_thread.cpp:18
// leak: 1 12 in_waiting_main held_at_exit_in_thread.cpp:33
// leak: 1 12 of_exiting_thread held_at_exit_in_thread.cpp:14
// held: in_exiting_thread the stack of thread *, in in_exiting_thread() (weak)
// held: in_waiting_main the stack of the main thread, in in_waiting_main() (weak)
// held: of_exiting_thread t_text (program, of thread *) → the string
// What holds strings when another thread than the main one calls exit.
#include "text.h"
#include <pthread.h>
#include <unistd.h>
static thread_local BSTR t_text; KEEP static void of_exiting_thread() { t_text = SysAllocString(T("thread")); }

KEEP static void in_exiting_thread() {
  // Its frame is there.
  BSTR volatile text = SysAllocString(T("frame."));
  if (text) exit(0);
}

static void *work(void *) {
  // Until the main thread waits.
  usleep(50000);
  of_exiting_thread();
  in_exiting_thread();
  return nullptr;
}

KEEP static void in_waiting_main() {
  pthread_t thread;
  // The main thread waits with it.
  BSTR volatile text = SysAllocString(T("main.."));
  if (pthread_create(&thread, nullptr, work, nullptr) != 0) abort();
  if (text) pthread_join(thread, nullptr);
}

int main() { in_waiting_main(); }
