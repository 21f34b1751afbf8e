// Starts processes one after the other, each of which makes and frees a hundred strings and leaks
// two; says how long each took.
//
// processes COUNT fork|exec|empty
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bstr.h"

extern char **environ;

static __attribute__((noinline)) BSTR make_title(void) {
  BSTR text = SysAllocString(u"title");
  return SysStringLen(text) == 5 ? text : NULL;
}

static __attribute__((noinline)) BSTR make_name(void) {
  BSTR text = SysAllocString(u"name");
  return SysStringLen(text) == 4 ? text : NULL;
}

static __attribute__((noinline)) int work(void) {
  for (int i = 0; i < 100; i++) SysFreeString(SysAllocString(u"freed"));
  int failures = !make_title();
  failures += !make_name();
  return failures;
}

static double milliseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int compare(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

int main(int count, char **arguments) {
  if (count < 3) return work();
  int processes = atoi(arguments[1]);
  double *times = calloc(processes, sizeof *times);
  for (int i = 0; i < processes; i++) {
    double start = milliseconds();
    pid_t child;
    if (!strcmp(arguments[2], "fork")) {
      if ((child = fork()) == 0) exit(work());
    } else {
      char *program = strcmp(arguments[2], "exec") ? "/bin/true" : arguments[0];
      char *words[] = {program, NULL};
      if (posix_spawn(&child, program, NULL, NULL, words, environ) != 0) return 2;
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0) return 1;
    times[i] = milliseconds() - start;
  }
  qsort(times, processes, sizeof *times, compare);
  fprintf(stderr, "each: least %.2f ms, median %.2f ms\n", times[0], times[processes / 2]);
  free(times);
  return 0;
}
