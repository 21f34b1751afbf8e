// flags: -O1
// twin: -DFIXED
// leak: 3 90 Object::fetch answer_by_reference.cpp:11 rule=in-out|out owner=ask:*
// A reference to a string is passed in a variant. The callee replaces the string rightly; the caller clears the
// variant, which owns nothing, and thinks it has freed the answer.
#define VARIANT_FUNCTIONS
#include "variant.h"
struct Object {
  APART HRESULT fetch(int id, VARIANT *argument) {
    SysFreeString(*argument->pbstrVal);
    *argument->pbstrVal = SysAllocStringLen(T("answer number one"), 14 + id);
    return S_OK;
  }
};
APART unsigned ask(Object &object, int id) {
  BSTR text = SysAllocString(T(""));
  VARIANT reference = {};
  reference.vt = VT_BSTR | VT_BYREF;
  reference.pbstrVal = &text;
  object.fetch(id, &reference);
  unsigned length = SysStringLen(text);
#ifdef FIXED
  SysFreeString(text);
#endif
  VariantClear(&reference);
  return length;
}
int main() {
  Object object;
  unsigned sum = 0;
  for (int i = 0; i < 3; i++) sum += ask(object, i);
  return sum == 45 ? 0 : 1;
}
