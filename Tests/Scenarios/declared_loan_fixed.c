// threads
// Bug class 5 across threads, declared and corrected.
#include <pthread.h>

#include "text.h"

KEEP static void *worker(void *text) { return SysStringLen((BSTR)text) == 6 ? NULL : text; }

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
