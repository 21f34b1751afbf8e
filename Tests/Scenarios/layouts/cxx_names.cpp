// Uses every function by its C++ name: 6 allocations, of which 1 leaks and 1 is freed twice.

#include "cxx_functions.h"

static const OLECHAR text[] = {'t', 'e', 'x', 't', 0};

extern "C" __attribute__((visibility("default"))) int use(void) {
  BSTR leaked = SysAllocString(text);
  BSTR twice = SysAllocStringLen(text, 3);
  BSTR bytes = SysAllocStringByteLen("bytes", 5);
  BSTR other = SysAllocStringLen(text, 1);
  SysReAllocString(&other, leaked);
  BSTR empty = SysAllocString(text + 4);
  bool isRight = SysStringLen(leaked) == 4 && SysStringLen(twice) == 3 && SysStringLen(other) == 4 &&
                 SysStringByteLen(bytes) == 5 && SysStringLen(empty) == 0 &&
                 SysStringByteLen(leaked) == 4 * sizeof(OLECHAR);
  SysFreeString(twice);
#ifndef FIXED
  SysFreeString(twice);
#else
  SysFreeString(leaked);
#endif
  SysFreeString(bytes);
  SysFreeString(other);
  SysFreeString(empty);
  return isRight ? 0 : 1;
}
