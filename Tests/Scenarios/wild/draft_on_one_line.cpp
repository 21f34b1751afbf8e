// leak: 3 30 Outer::get draft_on_one_line.cpp:11 rule=-|in owner=-|Outer::get:*
// never: decode(Outer&) owned it
// A function makes a draft and then its result, in one line, and forgets the draft. Its caller frees what it gets.
#include <stdlib.h>

#include "bstr.h"

struct Outer {
  __attribute__((noinline)) int get(BSTR *result) {
    // One behind the other: they differ in their addresses only.
    *result = SysAllocString(u"draft"); *result = SysAllocString(u"final");
    return 0;
  }
};

__attribute__((noinline)) static unsigned decode(Outer &outer) {
  BSTR text;
  outer.get(&text);
  unsigned length = SysStringLen(text);
  SysFreeString(text);
  return length;
}

int main() {
  Outer outer;
  unsigned sum = 0;
  for (int i = 0; i < 3; i++) sum += decode(outer);
  return sum == 15 ? 0 : 1;
}
