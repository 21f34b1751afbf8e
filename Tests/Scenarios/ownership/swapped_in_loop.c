// leak: 1 10 assign swapped_in_loop.c:10 rule=- owner=-
// twin: -DFIXED
// A setter that makes the new string and frees the old one, all of whose calls come from one line.
// Corrected: the variable is freed in the end.
#include "text.h"

static BSTR variable;

KEEP static void assign(const OLECHAR *text) {
  BSTR made = SysAllocString(text);
  SysFreeString(variable);
  variable = made;
}

int main(void) {
  for (int i = 0; i < 10; i++) assign(T("value"));
#ifdef FIXED
  SysFreeString(variable);
#endif
  return 0;
}
