// Strings of one place whose records are those of earlier strings, so that the last ones stand first: those that a
// report shows were allocated first all the same.
#include <stdio.h>

#include "bstr.h"

static BSTR numbered(int number) __attribute__((noinline));
static BSTR numbered(int number) {
  char text[16];
  OLECHAR characters[16];
  int length = snprintf(text, sizeof text, "string %d", number);
  for (int i = 0; i < length; i++) characters[i] = (OLECHAR)text[i];
  return SysAllocStringLen(characters, (unsigned)length);
}

int main(void) {
  BSTR strings[60];
  for (int i = 0; i < 60; i++) {
    // The first twenty are freed, and as many more come in their places.
    if (i >= 40) SysFreeString(strings[i - 40]);
    strings[i] = numbered(i + 1);
  }
  return 0;
}
