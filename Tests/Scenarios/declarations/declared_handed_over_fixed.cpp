// Who is handed a string frees it: a function that the giver calls, one it never heard of, or one that
// takes it over first. A hint changes nothing.
#include "text.h"

static BSTR slot;

KEEP static void consume() { SysFreeString(slot); }

KEEP static void attach() {
  bstrtrace_adopt(slot);
  SysFreeString(slot);
}

KEEP static void produce(bool calls) {
  slot = SysAllocString(T("item"));
  bstrtrace_note(slot, "made by produce");
  bstrtrace_hand_over(slot);
  if (calls) consume();
}

int main() {
  produce(true);
  produce(false);
  consume();
  produce(false);
  attach();
}
