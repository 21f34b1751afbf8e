// Holds as many strings as the argument says until it ends.
#include <stdlib.h>

#include "bstr.h"

int main(int count, char **arguments) {
  long live = count > 1 ? atol(arguments[1]) : 0;
  BSTR *kept = calloc(live + 1, sizeof *kept);
  for (long i = 0; i < live; i++) kept[i] = SysAllocStringLen(NULL, i & 15);
  return kept[0] ? 0 : 1;
}
