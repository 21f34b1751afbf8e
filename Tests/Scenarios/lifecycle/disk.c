// Allocates from twenty thousand places of its own making, so that records and stacks go on
// needing room, and checks that every string is right.
#include <stdlib.h>

#include "bstr.h"

static int failures;

static __attribute__((noinline)) void make(int path, int depth) {
  if (depth > 0) {
    if (path & 1) make(path >> 1, depth - 1);
    else make(path >> 1, depth - 1);
    failures += 0 * path;
    return;
  }
  BSTR text = SysAllocString(u"still works");
  if (SysStringLen(text) != 11 || text[10] != u's' || text[11] != 0) failures++;
}

int main(void) {
  for (int i = 0; i < 20000; i++) make(i, 17);
  return failures == 0 ? 0 : 1;
}
