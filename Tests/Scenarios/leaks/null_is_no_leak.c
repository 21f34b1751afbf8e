// NULL, and what was pinned and released, leak nothing.
#include "bstr.h"

int main(void) {
  BSTR none = SysAllocString(NULL);
  SysFreeString(none);
  return none == NULL ? 0 : 1;
}
