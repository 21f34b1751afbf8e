// Returns a string as a host knows it that frees what it is given.
#include "bstr.h"

void *make(void) { return SysAllocString(u"freed by the host"); }
