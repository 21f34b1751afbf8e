// flags: -O1
// twin: -DFIXED
// fault: invalid-free unmapped 1 detected=VariantClear:* freed=- allocated=-
// The destination of a conversion was never initialised: what lay on the stack says that it owns a string.
#define VARIANT_FUNCTIONS
#include "variant.h"
APART void leaveTraces(volatile uint64_t *sink) {
  volatile uint64_t traces[16];
  for (int i = 0; i < 16; i += 2) { traces[i] = VT_BSTR; traces[i + 1] = 0x00004a5500000010u; }
  *sink = traces[3];
}
APART unsigned showNumber(int number) {
  VARIANT source, text;
  source.vt = VT_I4;
  source.lVal = number;
#ifdef FIXED
  text.vt = VT_EMPTY;
#else
  text.vt = VT_BSTR;                         // what the stack happens to hold
  text.bstrVal = (BSTR)0x00004a5500000010u;
#endif
  VariantChangeType(&text, &source, VT_BSTR);
  unsigned length = SysStringLen(text.bstrVal);
  VariantClear(&text);
  return length;
}
int main() {
  uint64_t sink;
  leaveTraces(&sink);
  return showNumber(65535) == 5 ? 0 : 1;
}
