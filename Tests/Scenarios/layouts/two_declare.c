// A module that says how it lays strings out, beside one that says nothing and frees four bytes in front of them.
#include <stdlib.h>

#include "bstr.h"

BSTR unsaid_make(void);
void unsaid_free(void *);

__attribute__((noinline)) static BSTR make(void) {
  BSTR string = SysAllocString((const OLECHAR *)L"text");
  __asm__ volatile("");
  return string;
}
__attribute__((noinline)) static void end(BSTR string) {
  free((char *)string - 8);
  __asm__ volatile("");
}

int main(void) {
  end(make());
  unsaid_free(unsaid_make());
  end(make());
  return 0;
}
