// widths: 2 4
// Bug class 12, corrected: the variable is empty before, and the callee empties it too.
#include "text.h"

KEEP static HRESULT get_Name(BSTR *name) {
  *name = NULL;
  return E_OUTOFMEMORY;
}

int main(void) {
  BSTR name = NULL;
  get_Name(&name);
  SysFreeString(name);
  return 0;
}
