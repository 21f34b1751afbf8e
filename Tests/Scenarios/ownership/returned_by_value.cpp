// leak: 1 10 title(int) returned_by_value.cpp:6 rule=out owner=measure:15 producer=title:6
// KB Q108934, caller 2: nothing in a C function's name says that it returns a BSTR; its other callers do.
#include "text.h"

KEEP static BSTR title(int length) {
  return SysAllocStringLen(NULL, length);
}

KEEP static void print() {
  BSTR text = title(3);
  SysFreeString(text);
}

KEEP static unsigned measure() {
  return SysStringLen(title(5));
}

int main() {
  print();
  return measure() == 5 ? 0 : 1;
}
