// A program's own BSTR functions, in the layout of bstr.h: measured as "plain", and seen by peers
// as malloc and free. Only the functions that the workloads call.

#include <stdlib.h>
#include <string.h>

#include "bstr.h"

BSTR SysAllocStringLen(const OLECHAR *characters, UINT count) {
  UINT bytes = count * sizeof(OLECHAR);
  char *block = malloc(BSTR_PAYLOAD_OFFSET + bytes + sizeof(OLECHAR));
  if (!block) return NULL;
  char *text = block + BSTR_PAYLOAD_OFFSET;
  memcpy(text - 4, &bytes, 4);
  if (characters) memcpy(text, characters, bytes);
  else memset(text, 0, bytes);
  memset(text + bytes, 0, sizeof(OLECHAR));
  return (BSTR)(void *)text;
}

void SysFreeString(BSTR bstr) {
  if (bstr) free((char *)(void *)bstr - BSTR_PAYLOAD_OFFSET);
}
