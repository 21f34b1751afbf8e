// Holds bstr.h and bstrtrace.h to the sizes their contract states. Defines nothing.

#include "bstr.h"
#include "bstrtrace.h"

_Static_assert(sizeof(OLECHAR) == BSTR_OLECHAR_BYTES, "OLECHAR has the width that was asked for");
_Static_assert(sizeof(HRESULT) == 4, "HRESULT is 32 bits, as on Windows");
_Static_assert(sizeof(UINT) == 4, "UINT is 32 bits, as on Windows");

_Static_assert(sizeof(bstrtrace_scope) == 4, "a scope is passed in one register");
_Static_assert(sizeof(bstrtrace_scope_counts) == 24, "counts are three numbers of 64 bits");
