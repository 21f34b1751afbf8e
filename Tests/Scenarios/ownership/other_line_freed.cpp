// leak: 2 8 Reader::get(char16_t**) other_line_freed.cpp:8 rule=-
// twin: -DFIXED
// Strings that one function receives are freed, but for those of a line that keeps none.
// Corrected: the other is freed, too.
#include "text.h"

struct Reader {
  KEEP HRESULT get(BSTR *text) { *text = SysAllocString(T("no")); return S_OK; }
  KEEP HRESULT read(BSTR *text) { *text = SysAllocString(T("yes")); return S_OK; }
};

KEEP static UINT decode(Reader &reader, BSTR *text) {
  UINT length = 0;
  BSTR other = nullptr;
  reader.get(&other);
  length += SysStringLen(other);
#ifdef FIXED
  SysFreeString(other);
#endif
  reader.read(text);
  return length + SysStringLen(*text);
}

int main() {
  Reader reader;
  for (int i = 0; i < 2; i++) {
    BSTR text = nullptr;
    decode(reader, &text);
    SysFreeString(text);
  }
}
