// modes: preloaded
// widths: 2 4
// fault: double-free - 1 detected=main:10 freed=main:9 allocated=main:8 rule=- owner=main:8
// Bug classes 3 and 20: freed through the functions, and again by a private copy.
#include "text.h"

int main(void) {
  BSTR text = SysAllocString(T("mixed"));
  SysFreeString(text);
  free((char *)(void *)text - BSTR_PAYLOAD_OFFSET);
  return 0;
}
