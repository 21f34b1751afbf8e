// The cache gives copies away.
#include "text.h"

static BSTR cache;

KEEP static BSTR load() {
  if (!cache) cache = SysAllocString(T("configuration"));
  return SysAllocString(cache);
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
