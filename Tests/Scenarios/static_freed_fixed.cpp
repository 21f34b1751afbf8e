// widths: 2 4
// Bug class 10, corrected: the title is copied for whoever frees it.
#include "text.h"

static OLECHAR title[] = T("Untitled");

int main() { SysFreeString(SysAllocString(title)); }
