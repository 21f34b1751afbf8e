// widths: 2 4
// Bug class 3, corrected: a copy has a string of its own.
#include "text.h"

struct Owner {
  BSTR string;
  explicit Owner(BSTR text) : string(text) {}
  Owner(const Owner &other)
      : string(SysAllocStringLen(other.string, SysStringLen(other.string))) {}
  KEEP ~Owner() { SysFreeString(string); }
};

int main() {
  Owner first{SysAllocString(T("copied"))};
  Owner second = first;
}
