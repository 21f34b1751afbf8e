// threads
// fault: ownership freed-on-loan 1 detected=worker:13 freed=main:23 allocated=main:21 rule=in owner=main:23 consumer=worker:13
// fault: double-free - 1 detected=main:27 freed=worker:13 allocated=main:21 rule=in owner=main:23 consumer=worker:13
// twin: -DFIXED
// Bug class 5 across threads, declared: what stacks cannot tell, the loan does.
// Corrected: the worker reads what it was lent.
#include <pthread.h>

#include "text.h"

#ifndef FIXED
KEEP static void *worker(void *text) {
  SysFreeString((BSTR)text);
  return NULL;
}
#else
KEEP static void *worker(void *text) { return SysStringLen((BSTR)text) == 6 ? NULL : text; }
#endif

int main(void) {
  BSTR text = SysAllocString(T("shared"));
  pthread_t thread;
  bstrtrace_lend(text);
  pthread_create(&thread, NULL, worker, text);
  pthread_join(thread, NULL);
  bstrtrace_give_back(text);
  SysFreeString(text);
  return 0;
}
