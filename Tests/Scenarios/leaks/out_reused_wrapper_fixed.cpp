// widths: 2 4
// Bug class 2, corrected: the wrapper empties itself before its address is given away.
#include "text.h"

struct Wrapper {
  BSTR string = nullptr;
  ~Wrapper() { SysFreeString(string); }
  BSTR *operator&() {
    SysFreeString(string);
    string = nullptr;
    return &string;
  }
};

KEEP static void get_Name(BSTR *name) { *name = SysAllocString(T("abc")); }

int main() {
  Wrapper name;
  get_Name(&name);
  get_Name(&name);
}
