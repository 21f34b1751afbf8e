// A program that says nothing of its layout, and frees strings that it is given by a copy of SysFreeString that is
// inlined everywhere, four bytes in front of the characters. The last string is forgotten.
#include <stdlib.h>

void *SysAllocStringByteLen(const char *bytes, unsigned count);
void SysFreeString(void *bstr);

__attribute__((noinline)) static void *make(void) { return SysAllocStringByteLen("abcd", 4); }

int main(void) {
  for (int i = 0; i < 100; i++) {
    char *text = make();
    if (i % 10 == 9) SysFreeString(text);
    else free(text - 4);
  }
  return SysAllocStringByteLen("forgotten", 9) == NULL;
}
