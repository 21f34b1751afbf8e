// Everything that can be done wrongly with a scope. Each is told, and none does harm.
#include <pthread.h>
#include <stdio.h>

#include "bstrtrace.h"

static bstrtrace_scope shared;

static void *end_it(void *unused) {
  bstrtrace_scope_end(shared, NULL);
  return unused;
}

static void *leave_it(void *unused) {
  bstrtrace_scope_leave(shared);
  return unused;
}

static void on_another_thread(void *(*what)(void *)) {
  pthread_t thread;
  pthread_create(&thread, NULL, what, NULL);
  pthread_join(thread, NULL);
}

int main(void) {
  bstrtrace_scope twice = bstrtrace_scope_begin("twice");
  bstrtrace_scope_end(twice, NULL);
  bstrtrace_scope_end(twice, NULL);
  bstrtrace_scope_join(twice);

  shared = bstrtrace_scope_begin("shared");
  on_another_thread(leave_it);
  on_another_thread(end_it);

  bstrtrace_scope unknown = {123};
  bstrtrace_scope_join(unknown);
  bstrtrace_scope_end(unknown, NULL);

  bstrtrace_scope outer = bstrtrace_scope_begin("outer");
  bstrtrace_scope_begin("inner");
  bstrtrace_scope_end(outer, NULL);

  bstrtrace_scope never = bstrtrace_scope_begin("never");
  for (int i = 0; i < 63; i++) bstrtrace_scope_join(never);
  for (int i = 0; i < 60; i++) bstrtrace_scope_leave(never);
  bstrtrace_ignore_end();

  // What is allocated after all that counts where it should.
  char *report = NULL;
  bstrtrace_scope last = bstrtrace_scope_begin("last");
  BSTR text = SysAllocString(u"counted");
  size_t found = bstrtrace_scope_end(last, &report);
  free(report);
  SysFreeString(text);
  return found == 1 ? 0 : 1;
}
