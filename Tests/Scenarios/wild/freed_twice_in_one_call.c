// fault: double-free - 1 detected=end:12 freed=end:11 allocated=main:16
// never: to end twice
// The string is given away once, and freed twice there.
#include <stdlib.h>

#include "bstr.h"

__attribute__((noinline))
static void end(BSTR text, int times) {
  if (times > 1)
    SysFreeString(text);
  SysFreeString(text);
}

int main(void) {
  BSTR text = SysAllocString(u"given once");
  end(text, 2);
  return 0;
}
