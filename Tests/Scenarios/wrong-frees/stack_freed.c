// widths: 2 4
// fault: invalid-free stack 1 detected=main:14 freed=- allocated=-
// twin: -DFIXED
// Bug class 10: a local array is freed.
// Corrected: what lies on the stack is only read.
#include "text.h"

int main(void) {
  struct {
    uint32_t bytes;
    OLECHAR text[8];
  } volatile local = {7 * sizeof(OLECHAR), T("on call")};
#ifndef FIXED
  SysFreeString((BSTR)local.text);
#endif
  return SysStringLen((BSTR)local.text) == 7 ? 0 : 1;
}
