// Threads allocate and free without pause while the main thread forks ten times. Each child goes on
// allocating, frees what it inherited, leaks one string and ends; so does the parent.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bstr.h"

static atomic_bool stop;

static void *work(void *unused) {
  while (!stop) {
    BSTR text = SysAllocString(u"busy");
    SysFreeString(text);
  }
  return unused;
}

static __attribute__((noinline)) BSTR leak_in_child(void) { return SysAllocString(u"child"); }
static __attribute__((noinline)) BSTR leak_in_parent(void) { return SysAllocString(u"parent"); }

int main(void) {
  pthread_t threads[3];
  BSTR inherited = SysAllocString(u"inherited");
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, work, NULL);
  for (int i = 0; i < 10; i++) {
    pid_t child = fork();
    if (child == 0) {
      for (int k = 0; k < 1000; k++) SysFreeString(SysAllocStringLen(NULL, k));
      SysFreeString(inherited);
      exit(SysStringLen(leak_in_child()) == 5 ? 0 : 1);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return 1;
  }
  stop = 1;
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  SysFreeString(inherited);
  return SysStringLen(leak_in_parent()) == 6 ? 0 : 1;
}
