// flags: -O1
// twin: -DFIXED
// leak: 3 48 raise reference_cleared.cpp:24 rule=in-out|- owner=Handler::answer:*|-
// An event's argument is a reference to a variant. The handler clears the reference, not what it refers to, and
// stores a new text over the old one. Whoever raised the event clears what is there at the end.
#define VARIANT_FUNCTIONS
#include "variant.h"
struct Handler {
  APART HRESULT answer(VARIANT *argument) {
    VARIANT *target = argument->pvarVal;
#ifdef FIXED
    VariantClear(target);
#else
    VariantClear(argument);
#endif
    target->vt = VT_BSTR;
    target->bstrVal = SysAllocString(T("answer of the handler"));
    return S_OK;
  }
};
APART unsigned raise(Handler &handler) {
  VARIANT inner = {};
  inner.vt = VT_BSTR;
  inner.bstrVal = SysAllocString(T("question"));
  VARIANT argument = {};
  argument.vt = VT_VARIANT | VT_BYREF;
  argument.pvarVal = &inner;
  handler.answer(&argument);
  unsigned length = SysStringLen(inner.bstrVal);
  VariantClear(&inner);
  return length;
}
int main() {
  Handler handler;
  unsigned sum = 0;
  for (int i = 0; i < 3; i++) sum += raise(handler);
  return sum == 63 ? 0 : 1;
}
