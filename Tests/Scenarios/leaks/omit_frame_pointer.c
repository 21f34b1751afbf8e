// flags: -O2 -fomit-frame-pointer -fno-ipa-cp -fno-ipa-sra
// leak: 1 2 leaf omit_frame_pointer.c:12
// Optimised code without frame pointers, with variable-length arrays and saved registers.
#include <string.h>

#include "bstr.h"

static volatile int sink;

static __attribute__((noinline)) BSTR leaf(const OLECHAR *text) {
  sink = 1;
  BSTR made = SysAllocString(text);
  sink = 2;
  return made;
}

static __attribute__((noinline)) BSTR middle(int n) {
  char buffer[n];
  memset(buffer, n, n);
  BSTR text = leaf(u"x");
  sink += buffer[n / 2];
  return text;
}

static __attribute__((noinline)) BSTR outer(int n) {
  BSTR text = n > 0 ? outer(n - 1) : middle(33);
  sink++;
  return text;
}

int main(void) { return SysStringLen(outer(20)) == 1 ? 0 : 1; }
