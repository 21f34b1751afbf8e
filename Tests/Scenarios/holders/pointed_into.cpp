// options: holders=on
// leak: 1 10 load pointed_into.cpp:11 rule=- basis=-
// held: load g_rest (program .bss) → the string
// A variable refers to the middle of a string, by which it cannot be freed: it does not keep it.
#include "text.h"

static BSTR g_rest;

KEEP static void load() {
  // The first two characters are passed over.
  g_rest = SysAllocString(T("a:bcd")) + 2;
}

int main() { load(); }
