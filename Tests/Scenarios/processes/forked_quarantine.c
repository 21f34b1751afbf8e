// fault: write-after-free - 1 detected=- freed=main:10 allocated=main:9
// A forked child does not answer for what its parent wrote to a freed string.
#include <sys/wait.h>
#include <unistd.h>

#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("status"));
  SysFreeString(text);
  text[1] = 'x';
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 3000; i++) SysFreeString(SysAllocStringLen(NULL, 6));
    _exit(0);
  }
  return waitpid(child, NULL, 0) == child ? 0 : 1;
}
