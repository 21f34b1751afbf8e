// threads
// fault: ownership freed-on-loan 1 detected=worker:10 freed=main:17 allocated=main:15 rule=in owner=main:17 consumer=worker:10
// fault: double-free - 1 detected=main:21 freed=worker:10 allocated=main:15 rule=in owner=main:17 consumer=worker:10
// Bug class 5 across threads, declared: what stacks cannot tell, the loan does.
#include <pthread.h>

#include "text.h"

KEEP static void *worker(void *text) {
  SysFreeString((BSTR)text);
  return NULL;
}

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
