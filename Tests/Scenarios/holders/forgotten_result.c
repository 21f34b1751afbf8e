// options: holders=on
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 3 30 get_title forgotten_result.c:11 rule=- basis=held
// held: get_title nobody
// twin: -DFIXED
// A result is forgotten, in C, where no type says that it is one: it is kept nowhere.
// Corrected: who receives it frees it.
#include "text.h"

KEEP static HRESULT get_title(BSTR *title) {
  *title = SysAllocString(T("title"));
  return S_OK;
}

KEEP static UINT measure(void) {
  BSTR title = NULL;
  get_title(&title);
  UINT length = SysStringLen(title);
#ifdef FIXED
  SysFreeString(title);
#endif
  return length;
}

int main(void) {
  UINT sum = 0;
  for (int i = 0; i < 3; i++) sum += measure();
  return sum == 15 ? 0 : 1;
}
