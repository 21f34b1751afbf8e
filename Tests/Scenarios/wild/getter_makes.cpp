// flags: -O1
// twin: -DFIXED
// leak: 2 20 Basic::get getter_makes.cpp:13 rule=out owner=setHost:* producer=Basic::get:*
// leak: 2 20 Basic::get getter_makes.cpp:13 rule=out owner=setPage:* producer=Basic::get:*
// leak: 1 10 Basic::get getter_makes.cpp:13 rule=out owner=setUser:* producer=Basic::get:*
// A wrapper's get() makes a string for its caller. One caller knows, most do not.
#include "variant.h"
struct Basic {
  const OLECHAR *source;
  explicit Basic(const OLECHAR *text) : source(text) {}
  BSTR get() const;
};
APART BSTR Basic::get() const { return SysAllocString(source); }
APART unsigned put(BSTR text) { return SysStringLen(text); }
struct Freed { BSTR text; ~Freed() { SysFreeString(text); } };
#ifdef FIXED
#define GIVEN(b) Freed{(b).get()}.text
#else
#define GIVEN(b) (b).get()
#endif
APART unsigned setHost(const OLECHAR *host) { return put(GIVEN(Basic(host))); }
APART unsigned setUser(const OLECHAR *user) { return put(GIVEN(Basic(user))); }
APART unsigned setPage(const OLECHAR *page) { return put(GIVEN(Basic(page))); }
APART unsigned setScript(const OLECHAR *script) {
  BSTR text = Basic(script).get();
  unsigned result = put(text);
  SysFreeString(text);
  return result;
}
int main() {
  unsigned sum = setHost(T("proxy")) + setUser(T("guest")) + setPage(T("index")) + setPage(T("start")) + setHost(T("other"));
  sum += setScript(T("run()"));
  return sum == 30 ? 0 : 1;
}
