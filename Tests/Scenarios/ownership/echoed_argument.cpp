// fault: double-free - 1 detected=callThrough:20 freed=callThrough:19 allocated=callThrough:16 rule=- consumer=-
// twin: -DFIXED
// A function returns its argument as its result; its caller frees its argument, and what was returned to it.
// Corrected: the function returns a copy.
#include "text.h"

KEEP static BSTR echo(BSTR text) {
#ifndef FIXED
  return text;
#else
  return SysAllocStringLen(text, SysStringLen(text));
#endif
}

KEEP static UINT callThrough(BSTR (*function)(BSTR)) {
  BSTR argument = SysAllocString(T("there and back"));
  BSTR result = function(argument);
  UINT length = SysStringLen(result);
  SysFreeString(result);
  SysFreeString(argument);
  return length;
}

int main() { return callThrough(echo) == 14 ? 0 : 1; }
