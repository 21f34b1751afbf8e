// options: holders=on
// flags: -O2
// leak: 1 10 show held_in_register.c:15 rule=- basis=-
// never: nothing was found
// A function that was left by exit has its string in a register: that nobody holds it says nothing.
#include <stdlib.h>

#include "text.h"

KEEP static void leave(int status) {
  if (status >= 0) exit(status);
}

KEEP static UINT show(int status) {
  BSTR text = SysAllocString(T("Ready"));
  UINT length = SysStringLen(text);
  leave(status);
  SysFreeString(text);
  return length;
}

int main(int count, char **arguments) {
  (void)arguments;
  return show(count - 1) == 5 ? 0 : 1;
}
