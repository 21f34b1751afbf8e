// A plug-in that brings the library itself, and counts a text of the layout that it says, or of the default.
#ifdef SAYS_NOTHING
#include <uchar.h>
typedef char16_t OLECHAR;
OLECHAR *SysAllocString(const OLECHAR *);
unsigned SysStringLen(OLECHAR *);
void SysFreeString(OLECHAR *);
#else
#include "bstr.h"
#endif

unsigned work(void) {
  static const OLECHAR text[] = {'t', 'e', 'x', 't', 0};
  OLECHAR *string = SysAllocString(text);
  unsigned count = SysStringLen(string);
  SysFreeString(string);
  return count;
}
