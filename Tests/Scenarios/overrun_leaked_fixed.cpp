// widths: 2 4
// Bug class 18, corrected: inside, and freed.
#include "text.h"

int main() {
  BSTR text = SysAllocString(T("abc"));
  text[2] = 'e';
  SysFreeString(text);
}
