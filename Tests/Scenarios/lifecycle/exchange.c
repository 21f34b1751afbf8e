// Two threads allocate and free each other's strings: as many operations in all as the argument says.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bstr.h"

enum { slotCount = 256 };
static _Atomic(BSTR) slots[slotCount];
static long rounds;

static void *exchange(void *seed) {
  unsigned random = (unsigned)(unsigned long)seed;
  for (long i = 0; i < rounds; i++) {
    random = random * 1664525 + 1013904223;
    BSTR other = atomic_exchange(&slots[random >> 24], SysAllocStringLen(NULL, random >> 27 & 31));
    SysFreeString(other);
  }
  return NULL;
}

int main(int count, char **arguments) {
  pthread_t threads[2];
  // An allocation and a release are two operations.
  rounds = count > 1 ? atol(arguments[1]) / 4 : 1000;
  for (long i = 0; i < 2; i++) pthread_create(&threads[i], NULL, exchange, (void *)(i + 7));
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < slotCount; i++) SysFreeString(slots[i]);
  return 0;
}
