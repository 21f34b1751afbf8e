// leak: 1 10 statusText() passed_up.cpp:8 rule=out owner=title:22 producer=statusText:8
// twin: -DFIXED
// Bug class 6: a string came from a function whose callers free what it returns, and was passed up once more.
// Corrected: who receives what was passed up frees it.
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
#ifndef FIXED
  if (SysStringLen(title()) != 5) abort();
#else
  BSTR text = title();
  if (SysStringLen(text) != 5) abort();
  SysFreeString(text);
#endif
}

int main() {
  first();
  second();
  third();
  forget();
}
