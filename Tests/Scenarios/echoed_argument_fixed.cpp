// The function returns a copy.
#include "text.h"

KEEP static BSTR echo(BSTR text) {
  return SysAllocStringLen(text, SysStringLen(text));
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
