// Sixty-four threads with a scope each, all at once, in which they leak as many strings as their number
// says or none; every fourth is helped by a thread that joins its scope. Ends with 0 when each scope has
// told its own number.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "bstrtrace.h"

enum { THREADS = 64 };
static atomic_int waiting = THREADS;
static atomic_int wrong;

struct help {
  bstrtrace_scope scope;
  int count;
};

static __attribute__((noinline)) BSTR make(void) { return SysAllocStringLen(NULL, 5); }

static void leak(int count) {
  for (int i = 0; i < count; i++) {
    SysFreeString(make());
    if (!make()) wrong++;
  }
}

static void *help(void *argument) {
  struct help *help = argument;
  bstrtrace_scope_join(help->scope);
  leak(help->count);
  bstrtrace_scope_leave(help->scope);
  // Outside again.
  leak(1);
  return NULL;
}

static void *work(void *argument) {
  int number = (int)(intptr_t)argument;
  int count = number % 2 ? number : 0;
  char name[32];
  snprintf(name, sizeof name, "thread %d", number);
  waiting--;
  while (waiting > 0) {}
  bstrtrace_scope scope = bstrtrace_scope_begin(name);
  size_t expected = (size_t)count;
  leak(count);
  if (number % 4 == 1) {
    struct help told = {scope, 3};
    pthread_t helper;
    pthread_create(&helper, NULL, help, &told);
    leak(1);
    pthread_join(helper, NULL);
    expected += 4;
  }
  bstrtrace_scope inner = bstrtrace_scope_begin("inner");
  leak(2);
  if (bstrtrace_scope_end(inner, NULL) != 2) wrong++;
  size_t found = bstrtrace_scope_end(scope, NULL);
  if (found != expected) {
    fprintf(stderr, "%s: %zu, not %zu\n", name, found, expected);
    wrong++;
  }
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  return wrong ? 1 : 0;
}
