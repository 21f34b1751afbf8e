// widths: 2 4
// fault: double-free - 1 detected=Owner::~Owner:9 freed=Owner::~Owner:9 allocated=main:14 rule=- owner=main:14
// Bug class 3: a wrapper without a copy constructor is copied.
#include "text.h"

struct Owner {
  BSTR string;
  KEEP ~Owner() {
    SysFreeString(string);
  }
};

int main() {
  Owner first{SysAllocString(T("copied"))};
  Owner second = first;
}
