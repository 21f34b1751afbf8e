// The characters of another allocator's string are given to free, in a program that has the library twice.
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

char16_t *SysAllocString(const char16_t *);
void SysFreeString(char16_t *);

__attribute__((noinline)) static void culprit(char *string) {
  free(string);
  __asm__ volatile("");
}

int main(void) {
  SysFreeString(SysAllocString(u"x"));
  char *block = calloc(1, 8 + 10);
  block[4] = 8;
  memcpy(block + 8, u"text", 10);
  culprit(block + 8);
  return 0;
}
