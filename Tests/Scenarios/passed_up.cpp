// leak: 1 10 statusText() passed_up.cpp:6 rule=out owner=title:20 producer=statusText:6
// Bug class 6: a string came from a function whose callers free what it returns, and was passed up once more.
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
  if (SysStringLen(title()) != 5) abort();
}

int main() {
  first();
  second();
  third();
  forget();
}
