// Leaks one string, and says with which rights, what it has been given, and how
// many findings it knows of by itself.
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "bstr.h"
#include "bstrtrace.h"

int main(void) {
  bstrtrace_scope scope = bstrtrace_scope_begin("rights");
  BSTR kept = SysAllocString(u"secret");
  BSTR freed = SysAllocString(u"freed");
  SysFreeString(freed);
  printf("secure %lu strings %d findings %zu store %d\n", getauxval(AT_SECURE), kept != NULL && freed != NULL,
         bstrtrace_scope_end(scope, NULL), getenv("BSTRTRACE_STORE") != NULL);
  return 0;
}
