// Two threads allocate and free each other's strings.
#include <pthread.h>
#include <stdatomic.h>

#include "bstr.h"

static _Atomic(BSTR) slots[64];

static void *exchange(void *seed) {
  unsigned random = (unsigned)(unsigned long)seed;
  for (int i = 0; i < 100000; i++) {
    random = random * 1664525 + 1013904223;
    SysFreeString(atomic_exchange(&slots[random >> 26], SysAllocStringLen(NULL, random >> 28)));
  }
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  for (long i = 0; i < 2; i++) pthread_create(&threads[i], NULL, exchange, (void *)(i + 1));
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 64; i++) SysFreeString(slots[i]);
  return 0;
}
