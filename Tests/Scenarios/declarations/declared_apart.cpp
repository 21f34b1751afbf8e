// leak: 9 90 statusText() declared_apart.cpp:7 rule=out owner=pass:* producer=statusText:7
// leak: 1 10 statusText() declared_apart.cpp:7 rule=in
// One line makes strings of which different things are declared: they are findings of their own.
#include "text.h"

KEEP static BSTR statusText() {
  BSTR made = SysAllocString(T("Ready")); return made;
}

KEEP static void pass(int number) {
  BSTR text = statusText();
  if (number == 0) bstrtrace_hand_over(text);
  else bstrtrace_after_out(&text, S_OK);
}

int main() {
  for (int i = 0; i < 10; i++) pass(i);
}
