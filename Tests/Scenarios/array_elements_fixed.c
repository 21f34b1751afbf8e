// widths: 2 4
// Bug class 21, corrected: each element is cleared first.
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
  for (int i = 0; i < 4; i++) VariantClear(&array[i]);
  free(array);
  return 0;
}
