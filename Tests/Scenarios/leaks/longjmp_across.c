// leak: 1 10 risky longjmp_across.c:10
// A longjmp skips the release.
#include <setjmp.h>

#include "bstr.h"

static jmp_buf back;

static __attribute__((noinline)) void risky(void) {
  BSTR text = SysAllocString(u"jumps");
  if (SysStringLen(text) == 5) longjmp(back, 1);
  SysFreeString(text);
}

int main(void) {
  if (setjmp(back) == 0) risky();
  return 0;
}
