// options: holders=on
// leak: 1 8 open argument_in_global.cpp:17 rule=- basis=held
// held: open g_title (program .bss) → the string
// twin: -DFIXED
// An argument is handed over and kept: who made it is not to blame that it is not freed at the end.
// Corrected: who keeps it frees it.
#include "text.h"

struct Title {
  BSTR string;
  KEEP void adopt(BSTR text) { string = text; }
  KEEP void clear() { SysFreeString(string); }
};
static Title g_title;

KEEP static void open() {
  BSTR text = SysAllocString(T("kept"));
  g_title.adopt(text);
}

int main() {
  open();
#ifdef FIXED
  g_title.clear();
#endif
}
