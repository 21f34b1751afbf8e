// The same, with each string freed.
#include "text.h"

KEEP static void each(int count, void (*body)(void *), void *context) {
  for (int i = 0; i < count; i++) body(context);
}

KEEP static void make(void *context) {
  *static_cast<BSTR *>(context) = SysAllocString(T("item"));
}

int main() {
  for (int i = 0; i < 9; i++) {
    BSTR item = NULL;
    each(1, make, &item);
    SysFreeString(item);
  }
}
