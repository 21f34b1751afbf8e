// fault: ownership freed-after-hand-over 1 detected=produce:11 freed=produce:* allocated=produce:8 rule=in consumer=produce:*
// Who has handed a string over frees it all the same.
#include "text.h"

static BSTR slot;

KEEP static void produce() {
  BSTR text = SysAllocString(T("item"));
  slot = text;
  bstrtrace_hand_over(text);
  SysFreeString(text);
}

int main() { produce(); }
