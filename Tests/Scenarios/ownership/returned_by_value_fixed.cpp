// KB Q108934, caller 2, kept.
#include "text.h"

KEEP static BSTR title(int length) { return SysAllocStringLen(NULL, length); }

KEEP static unsigned measure() {
  BSTR text = title(5);
  unsigned length = SysStringLen(text);
  SysFreeString(text);
  return length;
}

int main() { return measure() == 5 ? 0 : 1; }
