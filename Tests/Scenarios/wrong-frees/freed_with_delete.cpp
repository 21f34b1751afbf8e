// widths: 2 4
// flags: -Wno-mismatched-new-delete
// sanitizers: no; AddressSanitizer itself ends a program that frees inside a block
// fault: wrong-deallocator free 1 detected=main:10 freed=- allocated=main:9 rule=in owner=main:9
// Bug class 11: delete on the BSTR itself.
#include "text.h"

int main() {
  BSTR text = SysAllocString(T("not new's"));
  delete text;
}
