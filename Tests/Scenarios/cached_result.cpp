// fault: double-free - 1 detected=shutDown:19 freed=process:15 allocated=load:8 rule=-
// A cache gives its string away without a copy: its receiver frees it rightly, and so does the cache.
#include "text.h"

static BSTR cache;

KEEP static BSTR load() {
  if (!cache) cache = SysAllocString(T("configuration"));
  return cache;
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
