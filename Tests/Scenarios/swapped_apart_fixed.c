// Who ends what the string is stored in frees it.
#include "text.h"

static BSTR variables[4];

KEEP static void assign(int i, const OLECHAR *text) {
  BSTR made = SysAllocString(text);
  SysFreeString(variables[i]);
  variables[i] = made;
}

KEEP static void reset(void) {
  SysFreeString(variables[0]);
  variables[0] = NULL;
}

KEEP static void run(int twice) {
  assign(0, T("local"));
  if (twice) assign(0, T("again"));
  reset();
}

int main(void) {
  for (int i = 0; i < 4; i++) run(i & 1);
  return 0;
}
