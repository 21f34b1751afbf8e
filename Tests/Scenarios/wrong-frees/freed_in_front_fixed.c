// sanitizers: no; free is the sanitizer's there
// The host knows where blocks start.
#include "text.h"

static void host_frees(BSTR text) __attribute__((noinline));
static void host_frees(BSTR text) { free((char *)(void *)text - BSTR_PAYLOAD_OFFSET); }

int main(void) {
  for (int i = 0; i < 3; i++) host_frees(SysAllocString(T("given to a host")));
  return 0;
}
