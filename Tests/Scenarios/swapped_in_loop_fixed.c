// The variable is freed in the end.
#include "text.h"

static BSTR variable;

KEEP static void assign(const OLECHAR *text) {
  BSTR made = SysAllocString(text);
  SysFreeString(variable);
  variable = made;
}

int main(void) {
  for (int i = 0; i < 10; i++) assign(T("value"));
  SysFreeString(variable);
  return 0;
}
