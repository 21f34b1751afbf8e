// widths: 2 4
// Bug class 9, corrected: the characters are copied into a BSTR first.
#include "text.h"

int main(void) {
  OLECHAR *characters = malloc(8 * sizeof(OLECHAR));
  memcpy(characters, T("letters"), 8 * sizeof(OLECHAR));
  BSTR text = SysAllocString(characters);
  SysReAllocStringLen(&text, NULL, 20);
  int failed = SysStringLen(text) != 20 || memcmp(text, T("letters"), 8 * sizeof(OLECHAR)) != 0;
  SysFreeString(text);
  free(characters);
  return failed;
}
