// A plug-in that leaks.

#include "bstr.h"

void named_plugin_leaks(void) { BSTR text = SysAllocString(u"named"); (void)text; }
