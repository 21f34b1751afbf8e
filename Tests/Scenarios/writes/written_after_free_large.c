// fault: write-after-free - 2 detected=- freed=main:11 allocated=main:9
// Bug class 18: large strings are watched after they were freed, as small ones are.
#include "text.h"

int main(void) {
  const UINT lengths[] = {40000, 10};
  BSTR texts[2];
  for (int i = 0; i < 2; i++)
    texts[i] = SysAllocStringLen(NULL, lengths[i]);
  for (int i = 0; i < 2; i++)
    SysFreeString(texts[i]);
  for (int i = 0; i < 2; i++) texts[i][i] = 'x';
  return 0;
}
