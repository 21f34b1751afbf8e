// modes: preloaded
// options: holders=on
// leak: 1 8 lose not_looked.c:9
// held: lose -
// A process that ends without exit: nothing is looked for, and the report says so.
#include <unistd.h>

#include "text.h"
KEEP static void lose(void) { if (!SysAllocString(T("lost"))) abort(); }

int main(void) {
  lose();
  quick_exit(0);
}
