// flags: -O1
// twin: -DFIXED
// leak: 3 54 Server::invoke exception_record.cpp:16 rule=out|- owner=poll:*|-
// leak: 3 30 Server::invoke exception_record.cpp:14 rule=out|- owner=poll:*|-
// A failing call fills in three texts of an exception record; the caller reads and frees one of them.
#define VARIANT_FUNCTIONS
#include "variant.h"
struct ExceptionRecord { int code; BSTR source, description, helpFile; };
struct Server {
  int calls = 0;
  APART HRESULT invoke(int method, ExceptionRecord *record) {
    if (method == 0) return S_OK;
    record->code = ++calls;
    record->source = SysAllocString(T("meter"));
    record->description = SysAllocString(T("nothing arrived in time"));
    record->helpFile = SysAllocString(T("meter.hlp"));
    return (HRESULT)0x80020009;
  }
};
APART unsigned poll(Server &server, int method) {
  ExceptionRecord record = {};
  unsigned length = 0;
  if (server.invoke(method, &record) < 0) {
    length = SysStringLen(record.description);
    SysFreeString(record.description);
#ifdef FIXED
    SysFreeString(record.source);
    SysFreeString(record.helpFile);
#endif
  }
  return length;
}
int main() {
  Server server;
  unsigned sum = 0;
  for (int i = 0; i < 6; i++) sum += poll(server, i % 2);
  return sum ? 0 : 1;
}
