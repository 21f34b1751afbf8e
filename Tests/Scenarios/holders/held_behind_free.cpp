// options: holders=on
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 1 10 copied held_behind_free.cpp:21
// held: copied g_owner (program .bss) → block, 104 bytes, +16 → the string (weak)
// Many freed blocks that still have the string's address, in front of the one that holds it.
#include <stdlib.h>

#include "text.h"

struct Copy {
  void *next, *last;
  BSTR text;
  void *others[10];
};
static Copy *g_owner;

KEEP static void copied() {
  Copy *copies[16];
  for (Copy *&copy : copies) copy = (Copy *)calloc(1, sizeof(Copy));
  g_owner = (Copy *)calloc(1, sizeof(Copy));
  BSTR text = SysAllocString(T("held."));
  g_owner->text = text;
  for (Copy *copy : copies) {
    copy->text = text;
    free(copy);
  }
}

int main() { copied(); }
