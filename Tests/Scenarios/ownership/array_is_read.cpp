// leak: 2 24 total(char16_t**, unsigned int) array_is_read.cpp:9 rule=- owner=-
// twin: -DFIXED
// A function reads an array of strings and forgets one of its own: its first parameter is no result, although it has the
// type of one. Its caller is not to blame.
// Corrected: the function frees it.
#include "text.h"

KEEP static UINT total(BSTR *names, UINT count) {
  BSTR joined = SysAllocString(T("joined"));
  UINT length = SysStringLen(joined);
  for (UINT i = 0; i < count; i++) length += SysStringLen(names[i]);
#ifdef FIXED
  SysFreeString(joined);
#endif
  return length;
}

KEEP static UINT sum() {
  BSTR names[2] = {SysAllocString(T("one")), SysAllocString(T("three"))};
  UINT length = total(names, 2);
  for (BSTR name : names) SysFreeString(name);
  return length;
}

int main() { return sum() + sum() == 28 ? 0 : 1; }
