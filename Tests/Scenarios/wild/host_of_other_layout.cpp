// flags: -O1
// twin: -DFIXED
// fault: wrong-deallocator * 1 detected=hostFree:* freed=- allocated=reverse:*
// A host believes that a block starts four bytes in front of the text; the library's starts eight bytes in front.
#include "variant.h"
APART HRESULT reverse(const OLECHAR *text, BSTR *result) {
  unsigned n = 0;
  while (text[n]) n++;
  *result = SysAllocStringLen(nullptr, n);
  for (unsigned i = 0; i < n; i++) (*result)[i] = text[n - 1 - i];
  return S_OK;
}
APART void hostFree(BSTR text) {
#ifdef FIXED
  free((char *)text - BSTR_PAYLOAD_OFFSET);
#else
  free((char *)text - 4);
#endif
}
int main() {
  BSTR result = nullptr;
  reverse(T("stressed"), &result);
  bool right = SysStringLen(result) == 8 && result[0] == T('d');
  hostFree(result);
  return right ? 0 : 1;
}
