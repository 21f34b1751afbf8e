// widths: 2 4
// fault: double-free - 1 detected=Owner::~Owner:9 freed=show:15 allocated=show:14 rule=- owner=show:14
// Bug class 3: an explicit release, and the destructor's.
#include "text.h"

struct Owner {
  BSTR string;
  KEEP ~Owner() {
    SysFreeString(string);
  }
};

KEEP static void show() {
  Owner owner{SysAllocString(T("raii"))};
  SysFreeString(owner.string);
}

int main() { show(); }
