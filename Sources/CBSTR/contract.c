// Holds bstr.h and bstrtrace.h to the sizes their contract states, and announces the layout of the
// library's own module.

// The library starts before it announces, which a constructor would not wait for.
#define BSTR_IN_LIBRARY

#include "bstr.h"
#include "bstrtrace.h"

_Static_assert(sizeof(OLECHAR) == BSTR_OLECHAR_BYTES, "OLECHAR has the width that was asked for");
_Static_assert(sizeof(HRESULT) == 4, "HRESULT is 32 bits, as on Windows");
_Static_assert(sizeof(UINT) == 4, "UINT is 32 bits, as on Windows");

_Static_assert(sizeof(bstrtrace_scope) == 4, "a scope is passed in one register");
_Static_assert(sizeof(bstrtrace_scope_counts) == 24, "counts are three numbers of 64 bits");

// Declared in CTracker.h, whose start.c calls it.
__attribute__((visibility("hidden"))) void bstrtrace_announce(void) { bstr_announce_profile(); }
