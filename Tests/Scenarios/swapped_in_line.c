// widths: 2 4
// leak: 4 40 assign swapped_in_line.c:10 rule=- owner=-
// A setter makes the new string and frees the old one, in one line, called twice in one line; who resets the variable forgets to
// free it. The setter frees in one call what an earlier call of it made: the order of its lines says nothing.
#include "text.h"

static BSTR variables[4];

KEEP static void assign(int i, const OLECHAR *text) {
  BSTR made = SysAllocString(text); SysFreeString(variables[i]); variables[i] = made;
}

/// Forgets to free it.
KEEP static void reset(void) {
  variables[0] = NULL;
}

KEEP static void run(int twice) {
  assign(0, T("local")); if (twice) assign(0, T("again"));
  reset();
}

int main(void) {
  for (int i = 0; i < 4; i++) run(i & 1);
  return 0;
}
