// modes: preloaded
// widths: 2 4
// fault: double-free - 1 detected=main:19 freed=main:18 allocated=-
// Bug classes 3 and 20: another copy's string is freed twice through the functions.
#include "text.h"

KEEP static BSTR privateAlloc(const OLECHAR *text, uint32_t bytes) {
  char *block = malloc(BSTR_PAYLOAD_OFFSET + bytes + 2 * sizeof(OLECHAR));
  memset(block, 0, BSTR_PAYLOAD_OFFSET + bytes + 2 * sizeof(OLECHAR));
  memcpy(block + BSTR_PAYLOAD_OFFSET - 4, &bytes, 4);
  memcpy(block + BSTR_PAYLOAD_OFFSET, text, bytes);
  return (BSTR)(void *)(block + BSTR_PAYLOAD_OFFSET);
}

int main(void) {
  SysFreeString(SysAllocString(T("first")));
  BSTR text = privateAlloc(T("private"), 7 * sizeof(OLECHAR));
  SysFreeString(text);
  SysFreeString(text);
  return 0;
}
