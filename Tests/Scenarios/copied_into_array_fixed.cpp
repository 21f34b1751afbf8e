// widths: 2 4
// Bug class 22, corrected: the original is freed.
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
  SysFreeString(text);
}
