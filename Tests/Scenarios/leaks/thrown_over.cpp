// leak: 2 20 risky(int) thrown_over.cpp:12 rule=in owner=risky:12
// A C++ exception leaves the function that owned the string before it frees it.
#include <stdexcept>

#include "text.h"

KEEP static void check(int value) {
  if (value % 3 == 2) throw std::runtime_error("no");
}

KEEP static void risky(int value) {
  BSTR text = SysAllocString(T("risky"));
  check(value);
  SysFreeString(text);
}

int main() {
  for (int i = 0; i < 6; i++) {
    try {
      risky(i);
    } catch (const std::exception &) {
    }
  }
}
