// flags: -DBSTR_OLECHAR_BYTES=2 -DBSTR_PAYLOAD_OFFSET=4
// leak: 1 6 main layout_2_4.c:7
// The layout of SIL libcom: char16_t characters, the prefix at the start of the block.
#include "bstr.h"

int main(void) {
  BSTR leaked = SysAllocString(u"abc");
  SysFreeString(SysAllocString(u"freed"));
  return SysStringLen(leaked) == 3 && SysStringByteLen(leaked) == 6 ? 0 : 1;
}
