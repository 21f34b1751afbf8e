// flags: -O1
// twin: -DFIXED
// fault: double-free - 1 detected=callThrough:* freed=callThrough:* allocated=callThrough:* rule=-|return
// A function returns its argument as its result. The caller frees its argument, and what was returned to it.
#include "variant.h"
APART BSTR echo(BSTR text) {
#ifdef FIXED
  return SysAllocStringLen(text, SysStringLen(text));
#else
  return text;
#endif
}
APART unsigned callThrough(BSTR (*function)(BSTR)) {
  BSTR argument = SysAllocString(T("there and back"));
  BSTR result = function(argument);
  unsigned length = SysStringLen(result);
  SysFreeString(result);
  SysFreeString(argument);
  return length;
}
int main() { return callThrough(echo) == 14 ? 0 : 1; }
