// A global object and a function's static one free their strings after main.
#include "bstr.h"

struct Holder {
  BSTR text;
  explicit Holder(const char16_t *source) : text(SysAllocString(source)) {}
  ~Holder() { SysFreeString(text); }
};

static Holder global(u"global");

int main() {
  static Holder local(u"local");
  return SysStringLen(local.text) == 5 ? 0 : 1;
}
