// Frees many large strings under a limit on memory, and allocates as much again.
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bstr.h"

int main(void) {
  // From here on 64 MiB more.
  SysFreeString(SysAllocString(u"first"));
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld", &pages) != 1) return 1;
  fclose(file);
  rlim_t bytes = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (64u << 20);
  struct rlimit limit = {bytes, bytes};
  if (setrlimit(RLIMIT_AS, &limit) != 0) return 1;
  for (int i = 0; i < 200; i++) {
    BSTR text = SysAllocStringLen(NULL, 500000);
    if (!text) return puts("exhausted"), 1;
    SysFreeString(text);
  }
  puts("allocated");
  return 0;
}
