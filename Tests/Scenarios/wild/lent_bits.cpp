// flags: -O1
// twin: -DFIXED
// fault: double-free - 1 detected=VariantClear:* freed=VariantClear:* allocated=Source::fire:* rule=in owner=Source::fire:* consumer=Sink::changed:*
// An event handler is lent a variant, takes its bits into an object of its own, and the object clears them.
#define VARIANT_FUNCTIONS
#include "variant.h"
struct Held {
  VARIANT value;
  explicit Held(const VARIANT &bits) {
#ifdef FIXED
    value.vt = VT_EMPTY;
    VariantCopy(&value, &bits);
#else
    value = bits;
#endif
  }
  ~Held() { VariantClear(&value); }
};
struct Sink {
  unsigned seen = 0;
  APART HRESULT changed(int property, VARIANT value) {
    Held held(value);
    seen += property + SysStringLen(held.value.bstrVal);
    return S_OK;
  }
};
struct Source {
  APART HRESULT fire(Sink &sink) {
    VARIANT value;
    value.vt = VT_BSTR;
    value.bstrVal = SysAllocString(T("the text that has changed"));
    sink.changed(1, value);
    return VariantClear(&value);
  }
};
int main() {
  Sink sink;
  Source().fire(sink);
  return sink.seen == 26 ? 0 : 1;
}
