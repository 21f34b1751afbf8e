// widths: 2 4
// fault: double-free - 1 detected=Owner::~Owner:12 freed=Owner::~Owner:12 allocated=main:23 rule=- owner=main:23
// twin: -DFIXED
// Bug class 3: a wrapper without a copy constructor is copied.
// Corrected: a copy has a string of its own.
#include "text.h"

struct Owner {
  BSTR string;
#ifndef FIXED
  KEEP ~Owner() {
    SysFreeString(string);
  }
#else
  explicit Owner(BSTR text) : string(text) {}
  Owner(const Owner &other)
      : string(SysAllocStringLen(other.string, SysStringLen(other.string))) {}
  KEEP ~Owner() { SysFreeString(string); }
#endif
};

int main() {
  Owner first{SysAllocString(T("copied"))};
  Owner second = first;
}
