// flags: -O1
// twin: -DFIXED
// leak: 1 12 make some_are_kept.cpp:9 rule=- owner=-
// never: of 10 siblings
// Most strings are freed by who receives them, some are kept and freed at the end. One that was kept loses its place to
// the next: who had received it is not to blame.
#include "variant.h"
APART BSTR make() {
  return SysAllocString(T("a text"));
}
static BSTR kept[2];
static int count;
APART void keep(BSTR text) {
#ifdef FIXED
  if (count == 2) SysFreeString(kept[--count]);
#else
  if (count == 2) count--;
#endif
  kept[count++] = text;
}
APART void show(bool isKept) {
  BSTR text = make();
  if (isKept) {
    keep(text);
  } else {
    SysFreeString(text);
  }
}
APART void clear() {
  while (count > 0) SysFreeString(kept[--count]);
}
int main() {
  for (int i = 0; i < 11; i++) show(i >= 8);
  clear();
}
