// options: holders=on
// leak: 1 26 load result_in_cache.cpp:11 rule=- basis=held
// twin: -DFIXED
// A cache returns its string to who asks, and is never emptied: nobody who received it was to free it.
// Corrected: it is emptied.
#include "text.h"

static BSTR g_cache;

KEEP static BSTR load() {
  if (!g_cache) g_cache = SysAllocString(T("configuration"));
  return g_cache;
}

KEEP static void show() {
  if (SysStringLen(load()) != 13) abort();
}

int main() {
  for (int i = 0; i < 3; i++) show();
#ifdef FIXED
  SysFreeString(g_cache);
#endif
}
