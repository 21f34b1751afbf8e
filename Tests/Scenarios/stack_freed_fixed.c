// widths: 2 4
// Bug class 10, corrected: what lies on the stack is only read.
#include "text.h"

int main(void) {
  struct {
    uint32_t bytes;
    OLECHAR text[8];
  } volatile local = {7 * sizeof(OLECHAR), T("on call")};
  return SysStringLen((BSTR)local.text) == 7 ? 0 : 1;
}
