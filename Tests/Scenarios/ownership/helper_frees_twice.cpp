// fault: double-free - 1 detected=release:6 freed=release:6 allocated=last:25 rule=- owner=last:25
// A helper that frees for many callers is not to blame: its caller freed its own string twice.
#include "text.h"

KEEP static void release(BSTR text) {
  SysFreeString(text);
}

KEEP static void first() {
  BSTR text = SysAllocString(T("first"));
  release(text);
}

KEEP static void second() {
  BSTR text = SysAllocString(T("second"));
  release(text);
}

KEEP static void third() {
  BSTR text = SysAllocString(T("third"));
  release(text);
}

KEEP static void last() {
  BSTR text = SysAllocString(T("last"));
  release(text);
  release(text);
}

int main() {
  first();
  second();
  third();
  last();
}
