// widths: 2 4
// leak: 4 16 fill array_elements.c:11 rule=-
// twin: -DFIXED
// Bug class 21: an array of variants is given back without its elements.
// Corrected: each element is cleared first.
#include "text.h"

KEEP static void fill(VARIANT *array, int count) {
  for (int i = 0; i < count; i++) {
    array[i].vt = VT_BSTR;
    array[i].bstrVal = SysAllocString(T("el"));
  }
}

int main(void) {
  VARIANT *array = calloc(4, sizeof *array);
  fill(array, 4);
#ifdef FIXED
  for (int i = 0; i < 4; i++) VariantClear(&array[i]);
#endif
  free(array);
  return 0;
}
