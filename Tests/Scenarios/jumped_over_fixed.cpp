// The check comes before the string.
#include <setjmp.h>

#include "text.h"

static jmp_buf back;

KEEP static void check(int value) {
  if (value == 3) longjmp(back, 1);
}

KEEP static void risky(int value) {
  check(value);
  BSTR text = SysAllocString(T("risky"));
  SysFreeString(text);
}

int main() {
  for (volatile int i = 0; i < 6; i++) {
    if (setjmp(back) == 0) risky(i);
  }
}
