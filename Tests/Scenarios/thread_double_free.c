// widths: 2 4
// threads
// fault: double-free - 1 detected=main:19 freed=worker:10 allocated=main:15 rule=-
// Bug class 5 across threads: the worker frees what its starter still owns.
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
  SysFreeString(text);
  return 0;
}
