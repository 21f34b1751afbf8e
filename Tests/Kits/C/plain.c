// Without any kit: scopes and assertions in C. `plain leak` asserts what does not hold.
#include <stdio.h>
#include <string.h>

#include "bstrtrace.h"

static __attribute__((noinline)) BSTR make_title(void) { return SysAllocString(u"Untitled"); }

int main(int count, char **arguments) {
  bstrtrace_scope scope = bstrtrace_scope_begin("titles");
  SysFreeString(make_title());
  if (count > 1 && SysStringLen(make_title()) != 8) return 1;
  char *report = NULL;
  if (bstrtrace_scope_end(scope, &report) > 0) fputs(report, stderr);
  free(report);
  bstrtrace_assert_no_leaks();
  puts("no leaks");
  return 0;
}
