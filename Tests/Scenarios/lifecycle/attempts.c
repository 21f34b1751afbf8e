// Allocates as many strings as the argument says, frees them, and prints the numbers of those that
// failed. Every failure is handled.
#include <stdio.h>
#include <stdlib.h>

#include "bstr.h"

int main(int count, char **arguments) {
  int attempts = count > 1 ? atoi(arguments[1]) : 5;
  for (int i = 1; i <= attempts; i++) {
    BSTR text = SysAllocStringLen(NULL, i);
    if (!text) printf("%d\n", i);
    SysFreeString(text);
  }
  return 0;
}
