// leak: 2 24 SafeArrayGetElement element_forgotten.c:12 rule=out owner=second:19 producer=SafeArrayGetElement:12
// twin: -DFIXED
// Names of C have no types, but this function of COM returns a copy of the element.
// Corrected: the copy is freed.
#include "text.h"

typedef struct {
  const OLECHAR *elements[2];
} SAFEARRAY;

KEEP HRESULT SafeArrayGetElement(SAFEARRAY *array, const int *index, void *element) {
  *(BSTR *)element = SysAllocString(array->elements[*index]);
  return S_OK;
}

KEEP static int second(SAFEARRAY *array) {
  BSTR text = NULL;
  int index = 1;
  SafeArrayGetElement(array, &index, &text);
  int length = (int)SysStringLen(text);
#ifdef FIXED
  SysFreeString(text);
#endif
  return length;
}

int main(void) {
  SAFEARRAY array = {{T("one"), T("second")}};
  return second(&array) + second(&array) == 12 ? 0 : 1;
}
