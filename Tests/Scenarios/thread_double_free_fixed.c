// widths: 2 4
// threads
// Corrected: the string goes with the work.
#include <pthread.h>

#include "text.h"

KEEP static void *worker(void *text) {
  SysFreeString((BSTR)text);
  return NULL;
}

int main(void) {
  BSTR text = SysAllocString(T("shared"));
  pthread_t thread;
  pthread_create(&thread, NULL, worker, text);
  pthread_join(thread, NULL);
  return 0;
}
