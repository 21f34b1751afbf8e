// Bug class 6, mended: who receives what was passed up frees it.
#include "text.h"

KEEP static BSTR statusText() {
  BSTR made = SysAllocString(T("Ready"));
  return made;
}

KEEP static void first() { SysFreeString(statusText()); }

KEEP static void second() {
  BSTR text = statusText();
  SysFreeString(text);
}

KEEP static void third() { second(); }

KEEP static BSTR title() {
  BSTR text = statusText();
  return text;
}

KEEP static void forget() {
  BSTR text = title();
  if (SysStringLen(text) != 5) abort();
  SysFreeString(text);
}

int main() {
  first();
  second();
  third();
  forget();
}
