// options: holders=on
// threads
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 1 10 in_arena large_blocks.cpp:29
// leak: 1 10 in_mapping large_blocks.cpp:18
// held: in_arena g_arena (program .bss) → Status, 24 bytes, +8 → the string
// held: in_mapping g_mapping (program .bss) → block, 1052656 bytes, +524288 → the string (weak)
// Holders in blocks that the heap maps one by one, and in the heap of another thread.
#include <pthread.h>

#include "text.h"

static BSTR *g_mapping;

KEEP static void in_mapping() {
  // Larger than what the heap takes from its arenas.
  g_mapping = (BSTR *)calloc(1, 1 << 20);
  g_mapping[1 << 16] = SysAllocString(T("large"));
}

struct Status {
  BSTR text = nullptr;
  virtual ~Status() {}
};
static Status *g_arena;

KEEP static void in_arena() {
  g_arena = new Status;
  g_arena->text = SysAllocString(T("arena"));
}

static void *work(void *) {
  in_arena();
  return nullptr;
}

int main() {
  in_mapping();
  pthread_t thread;
  if (pthread_create(&thread, nullptr, work, nullptr) != 0) abort();
  pthread_join(thread, nullptr);
}
