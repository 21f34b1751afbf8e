// Forgets a string, unless it has an argument: a program of the check of an installed bstrtrace.
#include <bstr.h>

static void keep_title(int frees) {
  BSTR title = SysAllocString(u"title");
  if (frees) SysFreeString(title);
}

int main(int count, char **arguments) {
  (void)arguments;
  keep_title(count > 1);
  return 0;
}
