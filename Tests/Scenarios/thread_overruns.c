// widths: 2 4
// threads
// fault: overrun - 4 detected=worker:12 freed=- allocated=worker:10
// Bug class 18 in threads: the same mistake four times is one finding.
#include <pthread.h>

#include "text.h"

static void *worker(void *unused) {
  BSTR text = SysAllocStringLen(NULL, 7);
  text[8] = 'x';
  SysFreeString(text);
  return unused;
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, worker, NULL);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  return 0;
}
