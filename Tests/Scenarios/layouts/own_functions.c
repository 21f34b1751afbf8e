// BSTR functions of a library's own, which call each other through the dynamic linker, as libraries do:
// WIDTH bytes for a character, OFFSET from the block's start to the first. WITHOUT_COUNT leaves out the
// function that takes a count, RECYCLES keeps what is released in place of giving it to the heap.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *SysAllocStringByteLen(const char *bytes, unsigned count) {
  char *block = malloc(OFFSET + count + 2 * WIDTH);
  if (!block) return NULL;
  memcpy(block + OFFSET - 4, &count, 4);
  if (bytes) memcpy(block + OFFSET, bytes, count);
  memset(block + OFFSET + count, 0, 2 * WIDTH);
  return block + OFFSET;
}

void *SysAllocString(const char *text) {
  unsigned count = 0;
  uint32_t character = 1;
  while (character) {
    character = 0;
    memcpy(&character, text + count, WIDTH);
    if (character) count += WIDTH;
  }
  return SysAllocStringByteLen(text, count);
}

#ifndef WITHOUT_COUNT
void *SysAllocStringLen(const char *text, unsigned count) {
  return SysAllocStringByteLen(text, count * WIDTH);
}
#endif

void SysFreeString(void *bstr) {
#ifdef RECYCLES
  static void *kept;
  if (bstr) kept = bstr;
#else
  if (bstr) free((char *)bstr - OFFSET);
#endif
}

unsigned SysStringByteLen(const void *bstr) {
  unsigned count = 0;
  if (bstr) memcpy(&count, (const char *)bstr - 4, 4);
  return count;
}

unsigned SysStringLen(const void *bstr) { return SysStringByteLen(bstr) / WIDTH; }

int SysReAllocStringLen(void **bstr, const char *text, unsigned count) {
  void *copy = SysAllocStringByteLen(text, count * WIDTH);
  if (!copy) return 0;
  SysFreeString(*bstr);
  *bstr = copy;
  return 1;
}

// What the compiler may make of SysFreeString elsewhere in the library.
void PREFIX_free_inlined(void *bstr) { free((char *)bstr - OFFSET); }

unsigned PREFIX_length(const void *bstr) { return SysStringLen(bstr); }

void *PREFIX_make(void) {
  static const char text[5 * WIDTH] = {'t', [WIDTH] = 'e', [2 * WIDTH] = 'x', [3 * WIDTH] = 't'};
  return SysAllocString(text);
}

void PREFIX_free(void *bstr) { SysFreeString(bstr); }

int PREFIX_replace(void **bstr) {
  static const char text[2 * WIDTH] = {'n', [WIDTH] = 'o'};
  return SysReAllocStringLen(bstr, text, 2);
}
