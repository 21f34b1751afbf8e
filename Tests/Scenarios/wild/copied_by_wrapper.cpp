// flags: -O1
// twin: -DFIXED
// leak: 2 28 fromUtf8 copied_by_wrapper.cpp:16 rule=out|- owner=execute:*|-
// A string is made by a conversion and given to a wrapper, which copies it.
#include "variant.h"
class Wrapped {
  BSTR text;
 public:
  Wrapped(BSTR source, bool copy) : text(copy ? SysAllocStringLen(source, SysStringLen(source)) : source) {}
  Wrapped(const Wrapped &) = delete;
  ~Wrapped() { SysFreeString(text); }
  operator BSTR() const { return text; }
};
APART BSTR fromUtf8(const char *text) {
  UINT n = (UINT)strlen(text);
  BSTR result = SysAllocStringLen(nullptr, n);
  for (UINT i = 0; i < n; i++) result[i] = (OLECHAR)text[i];
  return result;
}
APART unsigned run(BSTR command) { return SysStringLen(command); }
APART unsigned execute(const char *command) {
#ifdef FIXED
  Wrapped text(fromUtf8(command), false);
#else
  Wrapped text(fromUtf8(command), true);
#endif
  return run(text);
}
int main() { return execute("select 1") + execute("commit") == 14 ? 0 : 1; }
