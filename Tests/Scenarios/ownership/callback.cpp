// leak: 1 8 make(void*) callback.cpp:10 rule=out owner=collect:15
// A callback that the callee calls makes the string; the one who asked owns it.
#include "text.h"

KEEP static void each(int count, void (*body)(void *), void *context) {
  for (int i = 0; i < count; i++) body(context);
}

KEEP static void make(void *context) {
  *static_cast<BSTR *>(context) = SysAllocString(T("item"));
}

KEEP static void collect(bool forgets) {
  BSTR item = NULL;
  each(1, make, &item);
  if (!forgets) SysFreeString(item);
}

int main() {
  for (int i = 0; i < 9; i++) collect(i == 3);
}
