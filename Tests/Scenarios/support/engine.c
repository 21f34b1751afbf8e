// A library with the string functions inside, for its own use: what it does with them nobody else can see.
#include <stdlib.h>
#include <string.h>

#include "text.h"

static BSTR engine_copy(const OLECHAR *text, UINT count) __asm__("SysAllocStringLen");
static void engine_release(BSTR text) __asm__("SysFreeString");

static BSTR engine_copy(const OLECHAR *text, UINT count) {
  unsigned bytes = count * sizeof(OLECHAR);
  char *block = (char *)calloc(1, 8 + bytes + sizeof(OLECHAR));
  memcpy(block + 4, &bytes, 4);
  memcpy(block + 8, text, bytes);
  return (BSTR)(block + 8);
}

static void engine_release(BSTR text) { free((char *)text - 8); }

// Forgets every second of its strings.
unsigned engine_run(int i) {
  BSTR text = engine_copy(T("inside"), 6);
  if (i % 2) engine_release(text);
  return 6;
}
