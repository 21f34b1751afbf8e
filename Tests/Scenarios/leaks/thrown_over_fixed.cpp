// A wrapper frees the string when the exception passes.
#include <stdexcept>

#include "text.h"

struct Owner {
  BSTR string;
  ~Owner() { SysFreeString(string); }
};

KEEP static void check(int value) {
  if (value % 3 == 2) throw std::runtime_error("no");
}

KEEP static void risky(int value) {
  Owner owner{SysAllocString(T("risky"))};
  check(value);
}

int main() {
  for (int i = 0; i < 6; i++) {
    try {
      risky(i);
    } catch (const std::exception &) {
    }
  }
}
