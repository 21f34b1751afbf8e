// modes: preloaded
// widths: 2 4
// options: foreign=report
// fault: invalid-free foreign-bstr 3 detected=main:19 freed=- allocated=-
// Bug class 20: another module's private copy allocated the string. Told only when asked for.
#include "text.h"

KEEP static BSTR privateAlloc(const OLECHAR *text, uint32_t bytes) {
  char *block = malloc(BSTR_PAYLOAD_OFFSET + bytes + 2 * sizeof(OLECHAR));
  memset(block, 0, BSTR_PAYLOAD_OFFSET + bytes + 2 * sizeof(OLECHAR));
  memcpy(block + BSTR_PAYLOAD_OFFSET - 4, &bytes, 4);
  memcpy(block + BSTR_PAYLOAD_OFFSET, text, bytes);
  return (BSTR)(void *)(block + BSTR_PAYLOAD_OFFSET);
}

int main(void) {
  for (int i = 0; i < 3; i++) {
    BSTR text = privateAlloc(T("private"), 7 * sizeof(OLECHAR));
    SysFreeString(text);
  }
  return 0;
}
