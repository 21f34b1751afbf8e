// A plug-in that frees, reads or returns a string.
#include "text.h"

OLECHAR plugin_title[4096] = T("A title");

void plugin_frees(BSTR text) {
  SysFreeString(text);
}

unsigned plugin_reads(BSTR text) { return SysStringLen(text); }

BSTR plugin_returns(void) {
  return SysAllocString(T("given"));
}
