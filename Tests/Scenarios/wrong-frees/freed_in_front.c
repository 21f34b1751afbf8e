// sanitizers: no; free is the sanitizer's there
// fault: wrong-deallocator in-front 3 detected=host_frees:14 freed=- allocated=make:10
// A host believes that blocks start four bytes away from where they start.
#include "text.h"

enum { MISTAKEN_OFFSET = 12 - BSTR_PAYLOAD_OFFSET };

static BSTR make(void) __attribute__((noinline));
static BSTR make(void) {
  return SysAllocString(T("given to a host"));
}

static void host_frees(BSTR text) __attribute__((noinline));
static void host_frees(BSTR text) { free((char *)(void *)text - MISTAKEN_OFFSET); }

int main(void) {
  for (int i = 0; i < 3; i++) host_frees(make());
  return 0;
}
