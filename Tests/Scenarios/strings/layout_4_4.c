// flags: -DBSTR_OLECHAR_BYTES=4 -DBSTR_PAYLOAD_OFFSET=4
// leak: 1 12 main layout_4_4.c:7
// The layout of 7-Zip: wchar_t characters, the prefix at the start of the block.
#include "bstr.h"

int main(void) {
  BSTR leaked = SysAllocString(L"abc");
  SysFreeString(SysAllocString(L"freed"));
  return SysStringLen(leaked) == 3 && SysStringByteLen(leaked) == 12 ? 0 : 1;
}
