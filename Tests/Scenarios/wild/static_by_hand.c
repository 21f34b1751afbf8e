// flags: -O1
// twin: -DFIXED
// fault: invalid-free * 2 detected=VariantClear:* freed=- allocated=-
// Strings laid out by hand in static memory are passed for reading, which is allowed; and then cleared, which is not.
#define VARIANT_FUNCTIONS
#include "variant.h"
static struct { uint32_t pad, bytes; OLECHAR text[8]; } trueText = {0, 8, T("true")}, nullText = {0, 8, T("null")};
APART unsigned put(const VARIANT *value) { return SysStringLen(value->bstrVal); }
APART unsigned write_value(int which) {
  VARIANT value;
  value.vt = VT_BSTR;
  value.bstrVal = which ? trueText.text : nullText.text;
  unsigned result = put(&value);
#ifndef FIXED
  VariantClear(&value);
#endif
  return result;
}
int main(void) { return write_value(0) + write_value(1) + put(&(VARIANT){.vt = VT_BSTR, .bstrVal = trueText.text}) == 12 ? 0 : 1; }
