// A program that exports nothing, so that no symbol of it is in a hash table, and opens a library of another layout
// later.
#include <dlfcn.h>

typedef unsigned OLECHAR;
OLECHAR *SysAllocStringLen(const OLECHAR *, unsigned);
unsigned SysStringLen(OLECHAR *);
void SysFreeString(OLECHAR *);

int main(int count, char **arguments) {
  static const OLECHAR text[] = {'t', 'e', 'x', 't', 0};
  int isRight = 1;
  for (int i = 0; i < 4; i++) {
    OLECHAR *string = SysAllocStringLen(text, 4);
    isRight &= SysStringLen(string) == 4 && string[3] == 't' && string[4] == 0;
    SysFreeString(string);
    if (count > 1) dlopen(arguments[1], RTLD_NOW);
  }
  return isRight ? 0 : 1;
}
