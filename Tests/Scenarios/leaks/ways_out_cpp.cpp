// leak: 1 10 Reader::load(int) ways_out_cpp.cpp:18 leaves=26,28
// Lambdas, local types and blocks that catch do not leave the function; what they catch and throw on may.
#include <algorithm>
#include <stdexcept>

#include "text.h"

struct Reader {
  int rows = 3;
  Reader() : rows{3} {}
  KEEP int load(int way);
};

int Reader::load(int way) {
  struct Local {
    static int next(int value) { return value + 1; }
  };
  BSTR text = SysAllocString(T("words"));
  const char *raw = R"x(") return 1; { )x";
  auto twice = [&](int value) -> int { if (value > 100) return 0; return value * 2; };
  int values[] = {1, 2'000, 3};
  std::for_each(values, values + 3, [](int value) { if (value > 5000) return; });
  try {
    if (way == 100) throw std::runtime_error("caught");
    rows += twice(way) + Local::next(way) + (raw[0] == '{');
    if (way == 3) return -1;
  } catch (const std::exception &) {
    throw;
  }
  if (text && way == 101) {
    rows++;
  } else if (way == 102) {
    return 5;
  } else if (!text) {
    return 6;
  }
  if (BSTR other = way == 103 ? text : nullptr) return SysStringLen(other);
  SysFreeString(text);
  return rows;
}

int main() {
  Reader reader;
  reader.load(1);
  return reader.load(3) == -1 ? 0 : 1;
}
