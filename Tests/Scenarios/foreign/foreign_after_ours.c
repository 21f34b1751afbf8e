// modes: preloaded
// Bug class 20: another copy's strings come to lie where ours were, and begin with any character or byte:
// they are nobody's mistake.
#include "text.h"

static BSTR privateAlloc(const void *bytes, uint32_t count) {
  char *block = malloc(8 + count + 2 * sizeof(OLECHAR));
  memset(block, 0, 8 + count + 2 * sizeof(OLECHAR));
  memcpy(block + 4, &count, 4);
  memcpy(block + 8, bytes, count);
  return (BSTR)(void *)(block + 8);
}

static void exchange(const void *bytes, uint32_t count) {
  static BSTR ours[4000], theirs[3000];
  for (int i = 0; i < 4000; i++) ours[i] = SysAllocStringLen(NULL, count / 2);
  for (int i = 0; i < 4000; i++) SysFreeString(ours[i]);
  for (int i = 0; i < 3000; i++) theirs[i] = privateAlloc(bytes, count);
  for (int i = 0; i < 3000; i++) SysFreeString(theirs[i]);
}

int main(void) {
  // U+00FD and U+4EFD begin with the byte that freed strings are overwritten with.
  exchange(u"\u00fdletadla", 16);
  exchange(u"\u4efd", 2);
  exchange("abcdefghijklmno", 15);
  exchange("", 0);
  exchange("a", 1);
  exchange(u"\u00fd\u00fd\u00fd\u00fd\u00fd\u00fd", 12);
  return 0;
}
