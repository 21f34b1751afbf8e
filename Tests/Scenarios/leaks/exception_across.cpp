// leak: 1 12 risky(int) exception_across.cpp:8 leaves=9
// An exception skips the release; others, ten thousand of them, do not disturb.
#include <stdexcept>

#include "bstr.h"

static __attribute__((noinline)) void risky(int depth) {
  BSTR text = SysAllocString(u"throws");
  if (depth == 0) throw std::runtime_error("thrown");
  SysFreeString(text);
  risky(depth - 1);
}

int main() {
  int caught = 0;
  for (int i = 0; i < 10000; i++) {
    try {
      if (i == 0) risky(3);
      throw std::runtime_error("thrown");
    } catch (const std::runtime_error &) {
      caught++;
    }
  }
  return caught == 10000 ? 0 : 1;
}
