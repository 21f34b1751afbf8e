// fault: invalid-free static 1 detected=main:9 freed=- allocated=-
// Bug class 10: a static BSTR is used rightly, and then replaced, which would free it.
#include "text.h"

static struct { uint32_t length; OLECHAR characters[6]; } constant = {10, T("hello")};

int main(void) {
  BSTR text = constant.characters;
  SysReAllocString(&text, T("goodbye"));
  SysFreeString(text);
  return 0;
}
