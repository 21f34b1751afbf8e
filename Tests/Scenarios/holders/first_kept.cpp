// options: holders=on
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 9 90 make first_kept.cpp:14 rule=- basis=-
// held: make g_first (program .bss) → the string, 1 of 3 strings
// held: make g_first +8 (program .bss) → the string, 1 of 3 strings
// never: still held
// The first strings of a stack are kept, and later ones forgotten: the first do not speak for all.
#include "text.h"

static BSTR g_first[3];
static int g_count;

KEEP static BSTR make() {
  return SysAllocString(T("text."));
}

KEEP static void show() {
  BSTR text = make();
  if (g_count < 3) g_first[g_count++] = text;
}

int main() {
  for (int i = 0; i < 9; i++) show();
}
