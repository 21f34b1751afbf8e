// widths: 2 4
// threads
// fault: double-free - 1 detected=main:22 freed=worker:12 allocated=main:17 rule=-
// twin: -DFIXED
// Bug class 5 across threads: the worker frees what its starter still owns.
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
#ifndef FIXED
  SysFreeString(text);
#endif
  return 0;
}
