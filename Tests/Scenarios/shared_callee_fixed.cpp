// Bug class 5, mended: the function that many call leaves its argument alone.
#include "text.h"
KEEP static void put_StatusText(BSTR text) { if (SysStringLen(text) != 1) abort();
  asm("");
}

// What follows is thrice the same mistake.
KEEP static void first() {
  BSTR text = SysAllocString(T("1"));
  put_StatusText(text);
  SysFreeString(text);
}

KEEP static void second() {
  BSTR text = SysAllocString(T("2"));
  put_StatusText(text);
  SysFreeString(text);
}

KEEP static void third() {
  BSTR text = SysAllocString(T("3"));
  put_StatusText(text);
  SysFreeString(text);
}

int main() {
  first();
  second();
  third();
}
