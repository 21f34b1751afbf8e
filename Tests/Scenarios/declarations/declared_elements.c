// leak: 4 16 fill declared_elements.c:8 rule=in owner=fill:*
// Bug class 21, declared: the array has taken its elements over.
#include "text.h"

KEEP static void fill(VARIANT *array, int count) {
  for (int i = 0; i < count; i++) {
    array[i].vt = VT_BSTR;
    array[i].bstrVal = SysAllocString(T("el"));
    bstrtrace_adopt(array[i].bstrVal);
  }
}

int main(void) {
  VARIANT *array = calloc(4, sizeof *array);
  fill(array, 4);
  free(array);
  return 0;
}
