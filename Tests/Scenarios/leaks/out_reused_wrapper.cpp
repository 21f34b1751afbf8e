// widths: 2 4
// leak: 1 6 get_Name out_reused_wrapper.cpp:12 rule=out owner=main:* producer=get_Name:12
// Bug class 2: the address of a wrapper that still owns a string, as of a CComBSTR.
#include "text.h"

struct Wrapper {
  BSTR string = nullptr;
  ~Wrapper() { SysFreeString(string); }
  BSTR *operator&() { return &string; }
};

KEEP static void get_Name(BSTR *name) { *name = SysAllocString(T("abc")); }

int main() {
  Wrapper name;
  get_Name(&name);
  get_Name(&name);
}
