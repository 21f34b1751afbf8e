// fault: double-free recycled 1 detected=main:21 freed=main:11 allocated=main:10
// sanitizers: no; they give nothing out again so soon
// Bug class 3: the heap has given the address to somebody else before the second free, and what is there now
// is left alone.
#include "text.h"

static BSTR others[6000];

int main(void) {
  BSTR text = SysAllocString(T("stale, and as long as somebody else's object"));
  SysFreeString(text);
  for (int i = 0; i < 6000; i++) others[i] = SysAllocStringLen(NULL, 500);
  for (int i = 0; i < 6000; i++) SysFreeString(others[i]);
  char *other = NULL;
  for (int i = 0; i < 200000; i++) {
    other = malloc(110);
    if (other + 8 == (char *)text) break;
  }
  memset(other, 0, 110);
  strcpy(other + 16, "mine");
  SysFreeString(text);
  if (strcmp(other + 16, "mine") != 0) abort();
  return 0;
}
