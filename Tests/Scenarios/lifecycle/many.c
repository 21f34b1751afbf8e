// Holds as many live strings as the first argument says, then makes as many short-lived ones as the
// second says, and prints the resident memory in KiB after each.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bstr.h"

static long resident(void) {
  long pages = 0, total = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld %ld", &total, &pages) != 2) return -1;
  fclose(file);
  return pages * 4;
}

int main(int count, char **arguments) {
  long live = count > 1 ? atol(arguments[1]) : 0, passing = count > 2 ? atol(arguments[2]) : 0;
  BSTR *kept = calloc(live + 1, sizeof *kept);
  for (long i = 0; i < live; i++) kept[i] = SysAllocStringLen(NULL, i & 15);
  printf("%ld\n", resident());
  for (long i = 0; i < passing; i++) SysFreeString(SysAllocStringLen(NULL, i & 15));
  printf("%ld\n", resident());
  return 0;
}
