// modes: preloaded
// fault: double-free - 1 detected=main:11 freed=main:10 allocated=-
// Bug class 3: a forked child frees what it inherited, twice.
#include <sys/wait.h>
#include <unistd.h>
#include "text.h"

int main(void) { BSTR text = SysAllocString(T("inherited"));
  if (fork() == 0) {
    SysFreeString(text);
    SysFreeString(text);
    exit(0);
  }
  wait(NULL);
  SysFreeString(text);
  return 0;
}
