// See two_declare.c.
#include <stdlib.h>
#include <uchar.h>

void *SysAllocString(const char16_t *);

void *unsaid_make(void) {
  void *string = SysAllocString(u"native");
  __asm__ volatile("");
  return string;
}
void unsaid_free(void *string) {
  free((char *)string - 4);
  __asm__ volatile("");
}
