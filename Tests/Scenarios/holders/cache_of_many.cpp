// options: holders=on
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 4000 40000 StatusCache::fill cache_of_many.cpp:13
// held: StatusCache::fill g_cache (program .bss) → block, 32776 bytes, +* → the string
// A cache that is never emptied: one finding, and one holder of all that was looked for.
#include <vector>

#include "text.h"

struct StatusCache {
  std::vector<BSTR> texts;
  KEEP void fill() {
    for (int i = 0; i < 4000; i++) texts.push_back(SysAllocString(T("held.")));
  }
};
static StatusCache g_cache;

int main() { g_cache.fill(); }
