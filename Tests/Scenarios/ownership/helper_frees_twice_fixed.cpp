// The same, with one release for each string.
#include "text.h"

KEEP static void release(BSTR text) { SysFreeString(text); }

KEEP static void first() { release(SysAllocString(T("first"))); }
KEEP static void second() { release(SysAllocString(T("second"))); }
KEEP static void third() { release(SysAllocString(T("third"))); }

int main() {
  first();
  second();
  third();
}
