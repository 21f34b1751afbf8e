// leak: 1 12 get_name siblings_freed_by_others.c:11 rule=out|- owner=forget:*|-
// never: freed by forget
// Three functions get a name: one frees it, one has it freed, one forgets it. The one that forgot has freed none.
#include <stdlib.h>

#include "bstr.h"

#define APART __attribute__((noinline)) static

APART void get_name(BSTR *name) {
  *name = SysAllocString(u"a name");
}

APART void end(BSTR name) { SysFreeString(name); __asm__ volatile(""); }

APART void right(void) {
  BSTR name;
  get_name(&name);
  SysFreeString(name);
}

APART void right_too(void) {
  BSTR name;
  get_name(&name);
  end(name);
}

APART void forget(void) {
  BSTR name;
  get_name(&name);
}

int main(void) {
  right();
  right_too();
  forget();
  return 0;
}
