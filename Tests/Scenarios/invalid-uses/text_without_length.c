// widths: 2 4
// fault: invalid-use no-prefix 1 detected=main:16 freed=- allocated=-
// twin: -DFIXED
// Bug class 9: characters of the heap are enlarged as if they were a BSTR.
// Corrected: the characters are copied into a BSTR first.
#include "text.h"

int main(void) {
  OLECHAR *characters = malloc(8 * sizeof(OLECHAR));
  memcpy(characters, T("letters"), 8 * sizeof(OLECHAR));
#ifndef FIXED
  BSTR text = characters;
#else
  BSTR text = SysAllocString(characters);
#endif
  SysReAllocStringLen(&text, NULL, 20);
  int failed = SysStringLen(text) != 20 || memcmp(text, T("letters"), 8 * sizeof(OLECHAR)) != 0;
  SysFreeString(text);
  free(characters);
  return failed;
}
