// fault: double-free - 1 detected=shutDown:25 freed=process:21 allocated=load:10 rule=-
// twin: -DFIXED
// A cache gives its string away without a copy: its receiver frees it rightly, and so does the cache.
// Corrected: the cache gives copies away.
#include "text.h"

static BSTR cache;

KEEP static BSTR load() {
  if (!cache) cache = SysAllocString(T("configuration"));
#ifndef FIXED
  return cache;
#else
  return SysAllocString(cache);
#endif
}

KEEP static void process() {
  BSTR text = load();
  if (SysStringLen(text) == 0) abort();
  SysFreeString(text);
}

KEEP static void shutDown() {
  SysFreeString(cache);
  cache = nullptr;
}

int main() {
  process();
  shutDown();
}
