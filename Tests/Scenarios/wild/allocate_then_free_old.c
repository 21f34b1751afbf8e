// leak: 2 24 assign allocate_then_free_old.c:14 rule=- owner=-|run:*
// leak: 2 20 assign allocate_then_free_old.c:14 rule=- owner=-|run:*
// never: assign allocated a BSTR and did not free it
// Variables are assigned by a function that makes the new text before it frees the old one: it owns neither. Who ends the
// variables forgets what is in them.
#include <stddef.h>

#include "bstr.h"

static BSTR variables[4];

__attribute__((noinline))
static void assign(int i, const OLECHAR *text) {
  BSTR made = SysAllocString(text); SysFreeString(variables[i]); variables[i] = made;
}

// Was to free it.
__attribute__((noinline))
static void end_variables(void) { variables[0] = NULL; }

__attribute__((noinline))
static void run(int again) {
  assign(0, u"local");
  if (again) assign(0, u"second");
  end_variables();
}

int main(void) {
  for (int i = 0; i < 4; i++) run(i & 1);
  return 0;
}
