// A library's own BSTR functions, with characters of type OLECHAR and OFFSET bytes in front of the
// first.

#include <stdlib.h>
#include <string.h>

#include "cxx_functions.h"

static BSTR make(const void *source, unsigned bytes) {
  char *block = (char *)calloc(1, OFFSET + bytes + sizeof(OLECHAR));
  memcpy(block + OFFSET - 4, &bytes, 4);
  if (source) memcpy(block + OFFSET, source, bytes);
  return (BSTR)(block + OFFSET);
}

BSTR SysAllocString(const OLECHAR *text) {
  unsigned count = 0;
  while (text[count]) count++;
  return SysAllocStringLen(text, count);
}
BSTR SysAllocStringLen(const OLECHAR *text, unsigned count) {
  return make(text, count * sizeof(OLECHAR));
}
BSTR SysAllocStringByteLen(const char *bytes, unsigned count) { return make(bytes, count); }
void SysFreeString(BSTR text) {
  if (text) free((char *)text - OFFSET);
}
int SysReAllocString(BSTR *text, const OLECHAR *other) {
  BSTR copy = SysAllocString(other);
  SysFreeString(*text);
  *text = copy;
  return 1;
}
unsigned SysStringByteLen(BSTR text) {
  unsigned bytes = 0;
  if (text) memcpy(&bytes, (char *)text - 4, 4);
  return bytes;
}
unsigned SysStringLen(BSTR text) { return SysStringByteLen(text) / sizeof(OLECHAR); }
