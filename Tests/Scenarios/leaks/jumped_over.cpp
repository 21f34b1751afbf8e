// leak: 1 10 risky(int) jumped_over.cpp:19 rule=in owner=risky:19
// twin: -DFIXED
// longjmp leaves the function that owned the string before it frees it.
// Corrected: the check comes before the string.
#include <setjmp.h>

#include "text.h"

static jmp_buf back;

KEEP static void check(int value) {
  if (value == 3) longjmp(back, 1);
}

KEEP static void risky(int value) {
#ifdef FIXED
  check(value);
#endif
  BSTR text = SysAllocString(T("risky"));
#ifndef FIXED
  check(value);
#endif
  SysFreeString(text);
}

int main() {
  for (volatile int i = 0; i < 6; i++) {
    if (setjmp(back) == 0) risky(i);
  }
}
