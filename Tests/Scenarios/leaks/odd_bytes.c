// leak: 1 7 main odd_bytes.c:6
// A byte string of odd length.
#include "bstr.h"

int main(void) {
  BSTR odd = SysAllocStringByteLen("sevenby", 7);
  return SysStringByteLen(odd) == 7 && SysStringLen(odd) == 3 ? 0 : 1;
}
