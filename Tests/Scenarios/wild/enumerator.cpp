// flags: -O1
// twin: -DFIXED
// leak: 3 54 Names::Next enumerator.cpp:10 rule=out owner=listNames:*
// An enumerator returns its strings through a pointer in the middle of its parameters; the loop frees none.
#include "variant.h"
struct Names {
  int at = 0;
  APART HRESULT Next(unsigned wanted, BSTR *elements, unsigned *fetched) {
    unsigned n = 0;
    while (n < wanted && at < 3) elements[n++] = SysAllocStringLen(T("friendly name"), 8 + at++);
    *fetched = n;
    return n == wanted ? S_OK : 1;
  }
};
APART unsigned listNames(Names &names) {
  BSTR name = nullptr;
  unsigned fetched = 0, sum = 0;
  while (names.Next(1, &name, &fetched) == S_OK) {
    sum += SysStringLen(name);
#ifdef FIXED
    SysFreeString(name);
    name = nullptr;
#endif
  }
  return sum;
}
int main() {
  Names names;
  return listNames(names) == 27 ? 0 : 1;
}
