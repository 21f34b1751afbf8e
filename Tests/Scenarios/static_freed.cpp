// widths: 2 4
// fault: invalid-free static 1 detected=main:9 freed=- allocated=-
// Bug class 10: a static variable is freed.
#include "text.h"

static OLECHAR title[] = T("Untitled");

int main() {
  SysFreeString(title);
}
