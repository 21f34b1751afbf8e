// A library that provides the functions to others, as liboleaut32 does: one of them uses another.
#include <stdlib.h>
#include <string.h>

#include "text.h"

BSTR SysAllocStringLen(const OLECHAR *text, UINT count) {
  unsigned bytes = count * sizeof(OLECHAR);
  char *block = (char *)calloc(1, BSTR_PAYLOAD_OFFSET + bytes + sizeof(OLECHAR));
  memcpy(block + BSTR_PAYLOAD_OFFSET - 4, &bytes, 4);
  if (text) memcpy(block + BSTR_PAYLOAD_OFFSET, text, bytes);
  return (BSTR)(block + BSTR_PAYLOAD_OFFSET);
}

BSTR SysAllocString(const OLECHAR *text) {
  UINT count = 0;
  if (!text) return 0;
  while (text[count]) count++;
  return SysAllocStringLen(text, count);
}

void SysFreeString(BSTR text) {
  if (text) free((char *)text - BSTR_PAYLOAD_OFFSET);
}
