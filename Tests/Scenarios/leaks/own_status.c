// leak: 1 2 main own_status.c:7
// status: 3
// A program that fails by itself keeps its status.
#include "bstr.h"

int main(void) {
  BSTR text = SysAllocString(u"x");
  return SysStringLen(text) == 1 ? 3 : 0;
}
