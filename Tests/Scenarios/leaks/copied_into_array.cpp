// widths: 2 4
// leak: 1 8 main copied_into_array.cpp:18 rule=in owner=main:18
// twin: -DFIXED
// Bug class 22: a SAFEARRAY copies what is put into it; the original is forgotten.
// Corrected: the original is freed.
#include "text.h"

struct SafeArray {
  BSTR elements[4] = {};
  void putElement(int index, BSTR text) { elements[index] = SysAllocString(text); }
  ~SafeArray() {
    for (BSTR element : elements) SysFreeString(element);
  }
};

int main() {
  SafeArray array;
  BSTR text = SysAllocString(T("copy"));
  array.putElement(0, text);
#ifdef FIXED
  SysFreeString(text);
#endif
}
