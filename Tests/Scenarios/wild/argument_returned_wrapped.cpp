// flags: -O1
// twin: -DFIXED
// fault: double-free - 1 detected=* freed=* allocated=callThrough:* rule=-|return
// As argument_returned, with the argument and the result in wrappers: both free it in their destructors.
#include "variant.h"
struct Text {
  BSTR string;
  explicit Text(BSTR string) : string(string) {}
  Text(const Text &) = delete;
  APART ~Text() {
    SysFreeString(string);
  }
};
APART BSTR echo(BSTR text) {
#ifdef FIXED
  return SysAllocStringLen(text, SysStringLen(text));
#else
  return text;
#endif
}
APART unsigned callThrough(BSTR (*function)(BSTR)) {
  Text argument(SysAllocString(T("there and back")));
  Text result(function(argument.string));
  return SysStringLen(result.string);
}
int main() { return callThrough(echo) == 14 ? 0 : 1; }
