// options: holders=on
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 1 12 in_thread_local held_at_return.cpp:14
// held: in_thread_local t_texts (program, of the main thread) → block, 24 bytes, +0 → the string
// What holds a string when main returns: before destructors of thread-local variables, however late they were made.
#include <vector>

#include "text.h"

static thread_local std::vector<BSTR> t_texts;

KEEP static void in_thread_local() {
  // Its destructor is registered here.
  t_texts.push_back(SysAllocString(T("thread")));
}

int main() { in_thread_local(); }
