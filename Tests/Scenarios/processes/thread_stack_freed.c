// widths: 2 4
// threads
// fault: invalid-free stack 1 detected=main:26 freed=- allocated=-
// Bug class 10 across threads: a pointer into the stack of a thread that is still there.
#include <pthread.h>

#include "text.h"

static pthread_barrier_t barrier;
static OLECHAR *shared;

static void *worker(void *unused) {
  OLECHAR local[16] = T("on my stack");
  SysFreeString(SysAllocString(local));
  shared = local + 2;
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&thread, NULL, worker, NULL);
  pthread_barrier_wait(&barrier);
  SysFreeString(shared);
  pthread_barrier_wait(&barrier);
  pthread_join(thread, NULL);
  return 0;
}
