// KB Q108934, callee 2, kept: the callee keeps a copy.
#include "text.h"

struct Title {
  BSTR string = nullptr;
  KEEP void put(BSTR text) { SysReAllocString(&string, text); }
  KEEP void clear() { SysFreeString(string); }
};

int main() {
  Title title;
  BSTR text = SysAllocString(T("kept"));
  title.put(text);
  SysFreeString(text);
  title.clear();
}
