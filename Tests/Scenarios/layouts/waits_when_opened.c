// A library whose constructor waits for the program's lock.
#include <pthread.h>

extern pthread_mutex_t lock;
extern int isWaiting;

__attribute__((constructor)) static void opened(void) {
  __atomic_store_n(&isWaiting, 1, __ATOMIC_RELEASE);
  pthread_mutex_lock(&lock);
  pthread_mutex_unlock(&lock);
}
