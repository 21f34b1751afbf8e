// widths: 2 4
// fault: invalid-free static 1 detected=main:12 freed=- allocated=-
// twin: -DFIXED
// Bug class 10: a static variable is freed.
// Corrected: the title is copied for whoever frees it.
#include "text.h"

static OLECHAR title[] = T("Untitled");

#ifndef FIXED
int main() {
  SysFreeString(title);
}
#else
int main() { SysFreeString(SysAllocString(title)); }
#endif
