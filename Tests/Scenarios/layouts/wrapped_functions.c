// A library with a copy of the functions and its own layout. What it exports are wrappers, which at -O2 jump to the
// functions: their calls return to the program.
#include <stdlib.h>
#include <string.h>

#if WIDTH == 2
typedef unsigned short OLECHAR;
#else
typedef unsigned OLECHAR;
#endif

#ifdef NEEDS_START
static int isStarted;
#endif

OLECHAR *SysAllocStringLen(const OLECHAR *text, unsigned count) {
#ifdef NEEDS_START
  if (!isStarted) abort();
#endif
  unsigned bytes = count * sizeof(OLECHAR);
  char *block = malloc(OFFSET + bytes + sizeof(OLECHAR));
  memcpy(block + OFFSET - 4, &bytes, sizeof bytes);
  OLECHAR *string = (OLECHAR *)(block + OFFSET);
  memcpy(string, text, bytes);
  string[count] = 0;
  return string;
}

unsigned SysStringLen(OLECHAR *string) {
  unsigned bytes = 0;
  if (string) memcpy(&bytes, (char *)string - 4, sizeof bytes);
  return bytes / sizeof(OLECHAR);
}

void SysFreeString(OLECHAR *string) {
  if (string) free((char *)string - OFFSET);
}

OLECHAR *make(void) {
  static const OLECHAR text[] = {'t', 'e', 'x', 't', 0};
  return SysAllocStringLen(text, 4);
}
unsigned count(OLECHAR *string) { return SysStringLen(string); }
void drop(OLECHAR *string) { SysFreeString(string); }
/// As a copy that is inlined does it.
void dropInlined(OLECHAR *string) { free((char *)string - OFFSET); }
void start(void) {
#ifdef NEEDS_START
  isStarted = 1;
#endif
}
