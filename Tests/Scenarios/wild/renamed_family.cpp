// flags: -O1
// twin: -DFIXED
// An engine brings the string functions under names of its own, to keep out of others' way; its host frees what it
// gets with the usual ones. Two of the engine's strings are forgotten.
#include "variant.h"
extern "C" {
APART BSTR eng_SysAllocString(const OLECHAR *text) {
  unsigned bytes = 0;
  while (text[bytes / sizeof(OLECHAR)]) bytes += sizeof(OLECHAR);
  char *block = (char *)calloc(1, 8 + bytes + sizeof(OLECHAR));
  memcpy(block + 4, &bytes, 4);
  memcpy(block + 8, text, bytes);
  return (BSTR)(block + 8);
}
APART void eng_SysFreeString(BSTR text) { if (text) free((char *)text - 8); }
}
struct Engine {
  APART HRESULT getName(int i, BSTR *name) {
    *name = eng_SysAllocString(i % 2 ? T("odd method") : T("even method"));
    return S_OK;
  }
};
APART unsigned report(Engine &engine, int i) {
  BSTR name = nullptr;
  engine.getName(i, &name);
  unsigned length = SysStringLen(name);
#ifndef FIXED
  if (i % 2)
#endif
    SysFreeString(name);
  return length;
}
int main() {
  Engine engine;
  BSTR own = SysAllocString(T("host"));
  unsigned sum = SysStringLen(own);
  for (int i = 0; i < 4; i++) sum += report(engine, i);
  SysFreeString(own);
  return sum ? 0 : 1;
}
