// widths: 2 4
// Bug class 3, corrected: only the destructor releases.
#include "text.h"

struct Owner {
  BSTR string;
  KEEP ~Owner() { SysFreeString(string); }
};

KEEP static void show() { Owner owner{SysAllocString(T("raii"))}; }

int main() { show(); }
