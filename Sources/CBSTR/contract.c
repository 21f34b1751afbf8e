// Holds bstr.h to the sizes its contract states. Defines nothing.

#include "bstr.h"

_Static_assert(sizeof(OLECHAR) == BSTR_OLECHAR_BYTES, "OLECHAR has the width that was asked for");
_Static_assert(sizeof(HRESULT) == 4, "HRESULT is 32 bits, as on Windows");
_Static_assert(sizeof(UINT) == 4, "UINT is 32 bits, as on Windows");
