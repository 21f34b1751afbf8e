// flags: -O1
// twin: -DFIXED
// fault: invalid-free heap 3 detected=show:* freed=- allocated=-
// A second kind of session keeps its strings in a heap of its own, four bytes behind the start of the block;
// the caller frees them as it frees the others.
#include "variant.h"
struct Session {
  virtual BSTR name(int i) = 0;
  virtual void drop(BSTR text) = 0;
  virtual ~Session() {}
};
struct Plain : Session {
  BSTR name(int i) override { return SysAllocStringLen(T("symbol number") , 8 + i); }
  void drop(BSTR text) override { SysFreeString(text); }
};
struct Alternative : Session {
  BSTR name(int i) override {
    unsigned bytes = (8 + i) * sizeof(OLECHAR);
    char *block = (char *)malloc(4 + bytes + sizeof(OLECHAR));
    memcpy(block, &bytes, 4);
    memcpy(block + 4, T("alternate name"), bytes);
    memset(block + 4 + bytes, 0, sizeof(OLECHAR));
    return (BSTR)(block + 4);
  }
  void drop(BSTR text) override { free((char *)text - 4); }
};
APART unsigned show(Session &session) {
  unsigned sum = 0;
  for (int i = 0; i < 3; i++) {
    BSTR text = session.name(i);
    sum += SysStringLen(text);
#ifdef FIXED
    session.drop(text);
#else
    SysFreeString(text);
#endif
  }
  return sum;
}
int main() {
  Plain plain;
  Alternative alternative;
  return show(plain) == 27 && show(alternative) == 27 ? 0 : 1;
}
