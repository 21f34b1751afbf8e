// leak: 1 8 run exit_in_thread.c:11
// status: 5
// The process is ended by another thread than the main one.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "bstr.h"

static void *run(void *unused) {
  BSTR text = SysAllocString(u"left");
  if (SysStringLen(text) == 4) exit(5);
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  for (;;) pause();
}
