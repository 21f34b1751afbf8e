// Another plug-in that leaks.

#include "bstr.h"

void other_plugin_leaks(void) { BSTR text = SysAllocString(u"both"); (void)text; }
