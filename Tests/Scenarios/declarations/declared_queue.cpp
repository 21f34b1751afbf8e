// leak: 1 8 produce(bool) declared_queue.cpp:13 rule=in producer=produce:*
// A string that was handed over and that nobody received.
#include "text.h"

static BSTR slot;

KEEP static void consume() {
  bstrtrace_adopt(slot);
  SysFreeString(slot);
}

KEEP static void produce(bool loses) {
  BSTR text = SysAllocString(T("item"));
  bstrtrace_hand_over(text);
  slot = loses ? NULL : text;
}

int main() {
  for (int i = 0; i < 8; i++) {
    produce(i == 2);
    consume();
  }
}
