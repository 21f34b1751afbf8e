// widths: 2 4
// leak: 2 20 assign swapped_old_first.c:13 rule=- owner=-
// leak: 2 20 assign swapped_old_first.c:13 rule=- owner=-
// twin: -DFIXED
// A setter makes the new string and frees the old one, in one line, the old one first; who resets the variable forgets to
// free it. The setter frees in one call what an earlier call of it made: the order of its lines says nothing.
// Corrected: who ends what the string is stored in frees it.
#include "text.h"

static BSTR variables[4];

KEEP static void assign(int i, const OLECHAR *text) {
  SysFreeString(variables[i]); variables[i] = SysAllocString(text);
}

KEEP static void reset(void) {
#ifdef FIXED
  SysFreeString(variables[0]);
#endif
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
