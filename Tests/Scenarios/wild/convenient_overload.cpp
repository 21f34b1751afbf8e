// flags: -O1
// twin: -DFIXED
// leak: 1 12 Argument::Argument convenient_overload.cpp:11 rule=in|- owner=Automation::setText:*|-
// leak: 1 12 Argument::Argument convenient_overload.cpp:11 rule=in|- owner=Automation::setText:*|-
// leak: 1 8 Argument::Argument convenient_overload.cpp:11 rule=in|- owner=Automation::setText:*|-
// One overload takes an argument that its caller clears; the convenient one makes such an argument itself and lets it go.
#define VARIANT_FUNCTIONS
#include <new>
#include "variant.h"
struct Argument : VARIANT {
  APART explicit Argument(const OLECHAR *text) { vt = VT_BSTR; bstrVal = SysAllocString(text); }
};
struct Automation {
  unsigned sum = 0;
  APART void invoke(const OLECHAR *, const VARIANT *argument) { sum += SysStringLen(argument->bstrVal); }
  APART void setValue(const OLECHAR *name, const VARIANT *value) { invoke(name, value); }
  APART void setText(const OLECHAR *name, const OLECHAR *text) {
#ifdef FIXED
    Argument argument(text);
    invoke(name, &argument);
    VariantClear(&argument);
#else
    invoke(name, new (place) Argument(text));
#endif
  }
  alignas(Argument) char place[sizeof(Argument)];
};
APART void save(Automation &automation) {
  Argument name(T("report.doc"));
  automation.setValue(T("Name"), &name);
  VariantClear(&name);
}
int main() {
  Automation automation;
  save(automation);
  automation.setText(T("Title"), T("Report"));
  automation.setText(T("Author"), T("nobody"));
  automation.setText(T("Subject"), T("text"));
  return automation.sum == 26 ? 0 : 1;
}
