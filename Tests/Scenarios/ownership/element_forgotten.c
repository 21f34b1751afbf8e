// leak: 2 16 SafeArrayGetElement element_forgotten.c:11 rule=out owner=show:* producer=SafeArrayGetElement:*
// twin: -DFIXED
// SafeArrayGetElement copies an element for its caller. Its type says nothing of that, and its name does.
// Corrected: the caller frees the copy.
#include "text.h"

static const OLECHAR *const elements[] = {T("head"), T("tail")};

KEEP HRESULT SafeArrayGetElement(void *array, int *index, void *element) {
  const OLECHAR *const *all = array;
  *(BSTR *)element = SysAllocString(all[*index]);
  return S_OK;
}

KEEP static UINT show(int index) {
  BSTR element = NULL;
  SafeArrayGetElement((void *)elements, &index, &element);
  UINT length = SysStringLen(element);
#ifdef FIXED
  SysFreeString(element);
#endif
  return length;
}

int main(void) { return show(0) + show(1) == 8 ? 0 : 1; }
