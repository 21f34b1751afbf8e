// Leaks a string of four characters, says so in a file, and another one when a second file is
// there: in a process that may look as if it had ended by then.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bstr.h"

static const char *begun, *wanted;

static __attribute__((noinline)) void leak(const OLECHAR *text) {
  if (SysStringLen(SysAllocString(text)) != 4) exit(99);
}

static void *leak_twice(void *unused) {
  leak(u"soon");
  close(open(begun, O_WRONLY | O_CREAT, 0600));
  for (int i = 0; i < 10000 && access(wanted, F_OK) != 0; i++) usleep(10000);
  leak(u"late");
  exit(0);
  return unused;
}

// late HOW BEGUN WANTED
int main(int count, char **arguments) {
  if (count < 4) return 98;
  begun = arguments[2], wanted = arguments[3];
  if (!strcmp(arguments[1], "here")) leak_twice(NULL);
  if (!strcmp(arguments[1], "named")) {
    // The kernel keeps fifteen bytes, and so half a letter.
    prctl(PR_SET_NAME, "программа");
    leak_twice(NULL);
  }
  // Its main thread is a zombie while the other one runs.
  pthread_t thread;
  pthread_create(&thread, NULL, leak_twice, NULL);
  pthread_exit(NULL);
}
