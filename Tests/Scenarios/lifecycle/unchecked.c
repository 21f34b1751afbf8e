// What programs do when an allocation fails: check, leak, crash, wait for ever, free twice.
#include <stdio.h>
#include <unistd.h>

#include "bstr.h"

int main(void) {
  puts("output of the program's own");
  BSTR first = SysAllocString(u"one");
  if (!first) return 0;
  BSTR second = SysAllocString(u"two");
  if (!second) return 0;  // forgets the first
  BSTR third = SysAllocString(u"three");
  if (third[0] != u't') return 1;
  BSTR fourth = SysAllocString(u"four");
  while (!fourth) sleep(1);
  BSTR fifth = SysAllocString(u"five");
  if (!fifth) SysFreeString(fourth);
  BSTR sixth = SysAllocString(u"six");
  SysFreeString(first);
  SysFreeString(second);
  SysFreeString(third);
  SysFreeString(fourth);
  SysFreeString(fifth);
  SysFreeString(sixth);
  return 0;
}
