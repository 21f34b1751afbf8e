// leak: 2 14 Names::find(unsigned int, char16_t**, unsigned int*) array_is_read.cpp:10 rule=- owner=-
// twin: -DFIXED
// An array of strings is read, with parameters as an enumerator's Next has them: what is made beside it is not returned.
// Corrected: the function frees its own.
#include "text.h"

struct Names {
  KEEP HRESULT find(unsigned count, BSTR *names, unsigned *numbers) {
    for (unsigned i = 0; i < count; i++) {
      BSTR key = SysAllocStringLen(T("the key"), SysStringLen(names[i]));
      numbers[i] = SysStringLen(key);
#ifdef FIXED
      SysFreeString(key);
#endif
    }
    return S_OK;
  }
};

int main() {
  BSTR names[] = {SysAllocString(T("one")), SysAllocString(T("four"))};
  unsigned numbers[2];
  Names().find(2, names, numbers);
  for (BSTR name : names) SysFreeString(name);
  return numbers[0] + numbers[1] == 7 ? 0 : 1;
}
