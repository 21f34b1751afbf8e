// Commits the fault that the argument names, and goes on.
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bstr.h"

int main(int count, char **arguments) {
  const char *which = count > 1 ? arguments[1] : "";
  OLECHAR local[8] = u"local";
  BSTR text = SysAllocString(u"faulty");
  if (!strcmp(which, "overrun")) text[8] = u'x';
  SysFreeString(text);
  if (!strcmp(which, "double-free") || !strcmp(which, "kill")) SysFreeString(text);
  if (!strcmp(which, "kill")) raise(SIGKILL);
  if (!strcmp(which, "stack")) SysFreeString(local + 2);
  if (!strcmp(which, "write-after-free")) {
    text[1] = u'x';
    // More than the quarantine holds, so that the first of them leave it.
    static BSTR many[20000];
    for (int i = 0; i < 20000; i++) many[i] = SysAllocStringLen(NULL, 5);
    for (int i = 0; i < 20000; i++) SysFreeString(many[i]);
  }
  puts("went on");
  return 0;
}
