// flags: -DBSTR_OLECHAR_BYTES=4 -DBSTR_PAYLOAD_OFFSET=8
// leak: 1 12 main layout_4_8.c:7
// The layout of libwinevbs: wchar_t characters, padding in front of the prefix.
#include "bstr.h"

int main(void) {
  BSTR leaked = SysAllocString(L"abc");
  SysFreeString(SysAllocString(L"freed"));
  return SysStringLen(leaked) == 3 && SysStringByteLen(leaked) == 12 ? 0 : 1;
}
