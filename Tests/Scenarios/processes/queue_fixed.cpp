// threads
// The same, with none lost.
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

int main() {
  pthread_t thread;
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&thread, NULL, consume, NULL);
  for (int i = 0; i < 8; i++) {
    slot = SysAllocString(T("item"));
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
  }
  pthread_join(thread, NULL);
}
