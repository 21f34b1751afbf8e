// widths: 2 4
// fault: invalid-free unmapped 1 detected=main:12 freed=- allocated=-
// Bug class 12: the callee fails without setting its [out] value, and the caller frees what is there.
#include "text.h"

KEEP static HRESULT get_Name(BSTR *name) { return name ? E_OUTOFMEMORY : S_OK; }

int main(void) {
  BSTR name;
  memset(&name, 0x5A, sizeof name);
  get_Name(&name);
  SysFreeString(name);
  return 0;
}
