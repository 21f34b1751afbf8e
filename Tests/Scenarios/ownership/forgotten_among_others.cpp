// leak: 1 8 getName() forgotten_among_others.cpp:7 rule=-
// twin: -DFIXED
// Two callers free what they get, one itself and one through what it calls; a third forgets it.
#include "text.h"

KEEP static BSTR getName() {
  return SysAllocString(T("name")); }

KEEP static void release(BSTR text) {
  SysFreeString(text);
  asm("");
}

KEEP static void right() {
  SysFreeString(getName());
  asm("");
}

KEEP static void rightToo() {
  release(getName());
  asm("");
}

KEEP static UINT forget() {
#ifndef FIXED
  return SysStringLen(getName());
#else
  BSTR name = getName();
  UINT length = SysStringLen(name);
  SysFreeString(name);
  return length;
#endif
}

int main() {
  for (int i = 0; i < 3; i++) right();
  for (int i = 0; i < 3; i++) rightToo();
  return forget() == 4 ? 0 : 1;
}
