// threads
// leak: 1 8 produce(bool) queue.cpp:22 rule=-
// Strings pass through a queue to another thread, which frees them. One stays: its owner is on another
// stack, and that is said.
#include <pthread.h>

#include "text.h"

static pthread_barrier_t barrier;
static BSTR slot;

static void *consume(void *unused) {
  for (int i = 0; i < 8; i++) {
    pthread_barrier_wait(&barrier);
    SysFreeString(slot);
    pthread_barrier_wait(&barrier);
  }
  return unused;
}

KEEP static void produce(bool loses) {
  BSTR text = SysAllocString(T("item"));
  slot = loses ? NULL : text;
}

int main() {
  pthread_t thread;
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&thread, NULL, consume, NULL);
  for (int i = 0; i < 8; i++) {
    produce(i == 2);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
  }
  pthread_join(thread, NULL);
}
