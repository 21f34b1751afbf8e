// flags: -O1
// twin: -DFIXED
// fault: double-free - 2 detected=takeString:* freed=takeString:* allocated=loaderPath:* rule=-|out|return owner=loaderPath:*|-
// A function makes its string once, keeps it, and returns it to everybody; each receiver frees what it receives.
#include "variant.h"
APART BSTR loaderPath() {
#ifdef FIXED
  return SysAllocString(T("/opt/loader/native.so"));
#else
  static BSTR path = SysAllocString(T("/opt/loader/native.so"));
  return path;
#endif
}
APART size_t takeString(BSTR (*function)()) {
  BSTR text = function();
  size_t bytes = text ? 42 : 0;
  SysFreeString(text);
  return bytes;
}
int main() {
  size_t sum = 0;
  for (int i = 0; i < 3; i++) sum += takeString(loaderPath);
  return sum == 126 ? 0 : 1;
}
