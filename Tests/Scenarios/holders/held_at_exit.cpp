// options: holders=on
// sanitizers: no; the blocks of their heaps are not known from other memory
// status: 3
// leak: 1 12 in_caller held_at_exit.cpp:40
// leak: 1 12 in_static_object held_at_exit.cpp:29
// leak: 1 12 in_thread_local held_at_exit.cpp:35
// held: in_caller the stack of the main thread, in in_caller() (weak)
// held: in_static_object cache (program .bss) → block, 24 bytes, +8 → the string
// held: in_thread_local t_texts (program, of the main thread) → block, 24 bytes, +0 → the string
// What holds strings when exit is called: before destructors free what holds them, and some of the strings.
#include <vector>

#include "text.h"

// Frees its first string when the process ends, and forgets the second one.
struct Cache {
  std::vector<BSTR> texts;
  ~Cache() { SysFreeString(texts[0]); }
};
static Cache cache;

static BSTR late;

struct Last {
  ~Last() { SysFreeString(late); }
};
static Last last;

KEEP static BSTR in_static_object() { return SysAllocString(T("cached")); }

// Its destructor runs before those of static objects.
static thread_local std::vector<BSTR> t_texts;

KEEP static void in_thread_local() {
  t_texts.push_back(SysAllocString(T("thread")));
}

KEEP static void in_caller() {
  // The function's frame is there when exit is called.
  BSTR volatile text = SysAllocString(T("caller"));
  if (text) exit(3);
}

int main() {
  for (int i = 0; i < 2; i++) cache.texts.push_back(in_static_object());
  late = SysAllocString(T("freed by a destructor"));
  in_thread_local();
  in_caller();
}
