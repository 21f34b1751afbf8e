// widths: 2 4
// threads
// fault: overrun - 4 detected=worker:18 freed=- allocated=worker:12
// twin: -DFIXED
// Bug class 18 in threads: the same mistake four times is one finding.
// Corrected: inside.
#include <pthread.h>

#include "text.h"

static void *worker(void *unused) {
  BSTR text = SysAllocStringLen(NULL, 7);
#ifndef FIXED
  text[8] = 'x';
#else
  text[7] = 0;
#endif
  SysFreeString(text);
  return unused;
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, worker, NULL);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return 0;
}
