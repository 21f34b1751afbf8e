// Gives files to a fuzz target, one after the other, in builds without libFuzzer: to look at what it
// found. libFuzzer brings a `main` of its own, which is taken in place of this weak one.

#include "FuzzMain.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static int replay(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    return 1;
  }
  uint8_t *bytes = NULL;
  size_t count = 0, capacity = 0;
  for (;;) {
    if (count == capacity) {
      capacity = capacity == 0 ? 1 << 16 : capacity * 2;
      uint8_t *larger = realloc(bytes, capacity);
      if (larger == NULL) abort();
      bytes = larger;
    }
    size_t got = fread(bytes + count, 1, capacity - count, file);
    if (got == 0) break;
    count += got;
  }
  int failed = ferror(file);
  fclose(file);
  printf("%s: %zu bytes\n", path, count);
  fflush(stdout);
  LLVMFuzzerTestOneInput(bytes, count);
  free(bytes);
  return failed;
}

__attribute__((weak)) int main(int count, char **arguments) {
  if (count < 2) {
    fprintf(stderr, "usage: %s FILE...  (swift build --sanitize=fuzzer makes it a fuzzer)\n", arguments[0]);
    return 64;
  }
  int failed = 0;
  for (int index = 1; index < count; index++) failed |= replay(arguments[index]);
  return failed;
}
