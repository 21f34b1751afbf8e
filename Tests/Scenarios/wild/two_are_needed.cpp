// flags: -O1
// twin: -DFIXED
// Two strings are needed. When the second cannot be made, the first stays behind.
#include "variant.h"
struct Request {
  int rows = -1;
  APART explicit Request(const OLECHAR *query) {
    BSTR language = SysAllocString(T("QL"));
    if (!language) return;
    BSTR text = SysAllocString(query);
    if (!text) {
#ifdef FIXED
      SysFreeString(language);
#endif
      return;
    }
    rows = (int)(SysStringLen(language) + SysStringLen(text));
    SysFreeString(language);
    SysFreeString(text);
  }
};
int main() {
  Request request(T("select everything"));
  return request.rows == 19 || request.rows == -1 ? 0 : 1;
}
