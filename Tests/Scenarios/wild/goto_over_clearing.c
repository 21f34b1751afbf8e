// flags: -O1
// twin: -DFIXED
// leak: 1 12 get_property goto_over_clearing.c:11 rule=out owner=list_templates:* producer=get_property:* leaves=26
// Properties are read in a loop and cleared at its end; one that cannot be used jumps out over the clearing.
#define VARIANT_FUNCTIONS
#include "variant.h"
typedef struct { int rows; } Service;
APART HRESULT get_property(Service *service, int row, VARIANT *value) {
  (void)service;
  value->vt = VT_BSTR;
  value->bstrVal = SysAllocStringLen(row == 3 ? T("(none)") : T("template"), row == 3 ? 6 : 8);
  return S_OK;
}
APART HRESULT print_value(const VARIANT *value) { return value->bstrVal[0] == T('(') ? E_INVALIDARG : S_OK; }
APART HRESULT list_templates(Service *service) {
  HRESULT result = S_OK;
  for (int row = 0; row < service->rows; row++) {
    VARIANT value;
    value.vt = VT_EMPTY;
    result = get_property(service, row, &value);
    if (result < 0) goto fail;
    result = print_value(&value);
#ifdef FIXED
    if (result < 0) VariantClear(&value);
#endif
    if (result < 0) goto fail;
    VariantClear(&value);
  }
fail:
  return result;
}
int main(void) {
  Service service = {6};
  return list_templates(&service) == E_INVALIDARG ? 0 : 1;
}
