// leak: 2 16 format(int) produced_by_helper.cpp:6 rule=out owner=count:19 producer=get_Name:*
// KB Q108934, caller 2: the producer is the function that the owner called, not the helper behind it.
#include "text.h"

KEEP static BSTR format(int length) {
  return SysAllocStringLen(NULL, length);
}

KEEP static void get_Name(BSTR *name) { *name = format(4); }

KEEP static void show() {
  BSTR name = NULL;
  get_Name(&name);
  SysFreeString(name);
}

KEEP static unsigned count() {
  BSTR name = NULL;
  get_Name(&name);
  return SysStringLen(name);
}

int main() {
  for (int i = 0; i < 5; i++) show();
  return count() + count() == 8 ? 0 : 1;
}
