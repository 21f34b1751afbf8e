// KB Q108934, caller 2, kept.
#include "text.h"

KEEP static BSTR format(int length) { return SysAllocStringLen(NULL, length); }

KEEP static void get_Name(BSTR *name) { *name = format(4); }

KEEP static unsigned count() {
  BSTR name = NULL;
  get_Name(&name);
  unsigned length = SysStringLen(name);
  SysFreeString(name);
  return length;
}

int main() { return count() + count() == 8 ? 0 : 1; }
