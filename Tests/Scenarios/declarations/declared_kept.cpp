// fault: double-free - 1 detected=Title::clear:* freed=main:16 allocated=main:14 rule=in owner=main:* consumer=Title::clear:*
// KB Q108934, callee 2, declared: the argument was kept past its loan.
#include "bstrtrace.hpp"
#include "text.h"

struct Title {
  BSTR string = nullptr;
  KEEP void put(BSTR text) { string = text; }
  KEEP void clear() { SysFreeString(string); }
};

int main() {
  Title title;
  BSTR text = SysAllocString(T("kept"));
  bstrtrace::call(title, &Title::put, text);
  SysFreeString(text);
  title.clear();
}
