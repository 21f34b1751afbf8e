// widths: 2 4
// threads
// Corrected: inside.
#include <pthread.h>

#include "text.h"

static void *worker(void *unused) {
  BSTR text = SysAllocStringLen(NULL, 7);
  text[7] = 0;
  SysFreeString(text);
  return unused;
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, worker, NULL);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return 0;
}
