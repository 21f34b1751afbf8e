// widths: 2 4
// leak: 2 20 fill_status filled_record.c:13 rule=out owner=show:* producer=fill_status:*
// twin: -DFIXED
// A function of C fills a structure with two strings, of which its caller frees one. That the structure has room for
// two is in the debug information.
// Corrected: the caller frees both.
#include "text.h"

typedef struct Status { int code; BSTR title, text; } Status;

KEEP static void fill_status(int code, Status *status) {
  status->code = code;
  status->title = SysAllocString(T("title"));
  status->text = SysAllocString(T("Ready"));
}

KEEP static UINT show(int code) {
  Status status = {0, NULL, NULL};
  fill_status(code, &status);
  UINT length = SysStringLen(status.text);
  SysFreeString(status.text);
#ifdef FIXED
  SysFreeString(status.title);
#endif
  return length;
}

int main(void) { return show(1) + show(2) == 10 ? 0 : 1; }
