// leak: 1 10 risky(int) jumped_over.cpp:14 rule=in owner=risky:14
// longjmp leaves the function that owned the string before it frees it.
#include <setjmp.h>

#include "text.h"

static jmp_buf back;

KEEP static void check(int value) {
  if (value == 3) longjmp(back, 1);
}

KEEP static void risky(int value) {
  BSTR text = SysAllocString(T("risky"));
  check(value);
  SysFreeString(text);
}

int main() {
  for (volatile int i = 0; i < 6; i++) {
    if (setjmp(back) == 0) risky(i);
  }
}
