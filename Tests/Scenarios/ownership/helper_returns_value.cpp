// leak: 3 24 allocFrom(char const*) helper_returns_value.cpp:9 rule=out owner=print:* producer=Handler::getProperty:*
// twin: -DFIXED
// A helper returns a string as its value to the function that returns it through a VARIANT: by the types of both the
// caller of the second owns it. No such string is ever freed.
// Corrected: the caller clears the VARIANT.
#include "text.h"

KEEP static BSTR allocFrom(const char *text) {
  BSTR made = SysAllocStringLen(nullptr, 4);
  for (int i = 0; i < 4; i++) made[i] = (OLECHAR)text[i];
  return made;
}

struct Handler {
  KEEP HRESULT getProperty(unsigned, VARIANT *value) {
    value->bstrVal = allocFrom("text");
    value->vt = VT_BSTR;
    return S_OK;
  }
};

KEEP static UINT print(Handler &handler, unsigned index) {
  VARIANT value = {};
  handler.getProperty(index, &value);
  UINT length = SysStringLen(value.bstrVal);
#ifdef FIXED
  VariantClear(&value);
#endif
  return length;
}

int main() {
  Handler handler;
  UINT all = 0;
  for (unsigned i = 0; i < 3; i++) all += print(handler, i);
  return all == 12 ? 0 : 1;
}
