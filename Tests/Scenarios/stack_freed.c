// widths: 2 4
// fault: invalid-free stack 1 detected=main:11 freed=- allocated=-
// Bug class 10: a local array is freed.
#include "text.h"

int main(void) {
  struct {
    uint32_t bytes;
    OLECHAR text[8];
  } volatile local = {14, T("on call")};
  SysFreeString((BSTR)local.text);
  return 0;
}
