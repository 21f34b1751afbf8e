// options: holders=on
// threads
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 1 10 load referred_to_by_thread.cpp:14 rule=- basis=-
// held: load nobody|the stack of thread *
// never: nothing was found
// Another thread is alive, whose registers are not seen: that nobody was found says nothing.
#include <pthread.h>
#include <unistd.h>

#include "text.h"

KEEP static void load() {
  BSTR text = SysAllocString(T("held."));
  if (SysStringLen(text) != 5) abort();
}

static int g_started;
static void *wait(void *unused) {
  __atomic_store_n(&g_started, 1, __ATOMIC_RELEASE);
  for (;;) pause();
  return unused;
}

int main() {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, wait, nullptr) != 0) abort();
  while (!__atomic_load_n(&g_started, __ATOMIC_ACQUIRE)) usleep(1000);
  load();
}
