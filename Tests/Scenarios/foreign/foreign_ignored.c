// modes: preloaded
// widths: 2 4
// Bug class 20: by default the string is released as its owner would, and nothing is said.
#include "text.h"

KEEP static BSTR privateAlloc(const OLECHAR *text, uint32_t bytes) {
  char *block = malloc(BSTR_PAYLOAD_OFFSET + bytes + 2 * sizeof(OLECHAR));
  memset(block, 0, BSTR_PAYLOAD_OFFSET + bytes + 2 * sizeof(OLECHAR));
  memcpy(block + BSTR_PAYLOAD_OFFSET - 4, &bytes, 4);
  memcpy(block + BSTR_PAYLOAD_OFFSET, text, bytes);
  return (BSTR)(void *)(block + BSTR_PAYLOAD_OFFSET);
}

int main(void) {
  for (int i = 0; i < 3; i++) SysFreeString(privateAlloc(T("private"), 7 * sizeof(OLECHAR)));
  return 0;
}
