// fault: double-free - 1 detected=callThrough:14 freed=callThrough:13 allocated=callThrough:10 rule=- consumer=-
// A function returns its argument as its result; its caller frees its argument, and what was returned to it.
#include "text.h"

KEEP static BSTR echo(BSTR text) {
  return text;
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
