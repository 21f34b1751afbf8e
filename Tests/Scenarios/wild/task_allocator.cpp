// flags: -O1
// twin: -DFIXED
// fault: wrong-deallocator free 2 detected=TaskMemory::Free:* freed=- allocated=listTitles:* rule=in|- owner=listTitles:*
// A title is made with the string functions and given back to the task allocator, which frees it as a block.
#include "variant.h"
struct TaskMemory {
  virtual void *Alloc(size_t n) { return malloc(n); }
  virtual void Free(void *p);
};
APART void TaskMemory::Free(void *p) { free(p); }
TaskMemory theMemory;
APART TaskMemory *taskMemory() { return &theMemory; }
APART int listTitles(int count) {
  int kept = 0;
  for (int i = 0; i < count; i++) {
    BSTR title = SysAllocString(T("UNTITLED"));
    void *block = taskMemory()->Alloc(64);
    kept += title != nullptr && block != nullptr;
    taskMemory()->Free(block);
#ifdef FIXED
    SysFreeString(title);
#else
    taskMemory()->Free(title);
#endif
  }
  return kept;
}
int main() { return listTitles(2) == 2 ? 0 : 1; }
