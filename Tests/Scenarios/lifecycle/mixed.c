// Allocates and frees strings of mixed sizes, as many pairs as the argument says, and prints the
// resident memory in KiB after the first hundredth and at the end.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bstr.h"

static long resident(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*d %ld", &pages) != 1) exit(1);
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE) / 1024;
}

int main(int count, char **arguments) {
  long pairs = count > 1 ? atol(arguments[1]) : 1000;
  unsigned random = 7;
  for (long i = 0; i < pairs; i++) {
    random = random * 1664525 + 1013904223;
    // Mostly short, now and then up to 64 KiB.
    unsigned characters = random >> 25;
    if ((random & 0xFFF0) == 0) characters = random >> 17;
    SysFreeString(SysAllocStringLen(NULL, characters));
    if (i == pairs / 100) printf("%ld\n", resident());
  }
  printf("%ld\n", resident());
  return 0;
}
