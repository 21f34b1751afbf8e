// leak: 2 48 Server::Invoke(int, DISPPARAMS*, VARIANT*, EXCEPINFO*, unsigned int*) exception_filled_in.cpp:16 rule=- owner=-
// leak: 2 20 Server::Invoke(int, DISPPARAMS*, VARIANT*, EXCEPINFO*, unsigned int*) exception_filled_in.cpp:15 rule=- owner=-
// twin: -DFIXED
// A call fails and fills in an exception record, in the middle of its parameters, which the caller never reads. It is
// left open: Invoke is given values as well, and what it makes of those is its own.
// Corrected: the caller frees what is in the record.
#include "text.h"

struct DISPPARAMS { VARIANT *rgvarg; UINT cArgs; };
struct EXCEPINFO { unsigned short wCode; BSTR bstrSource, bstrDescription, bstrHelpFile; };
struct Server {
  KEEP HRESULT Invoke(int member, DISPPARAMS *, VARIANT *result, EXCEPINFO *info, UINT *argument) {
    if (!info) return S_OK;
    info->wCode = (unsigned short)member;
    info->bstrSource = SysAllocString(T("meter"));
    info->bstrDescription = SysAllocString(T("no answer..."));
    result->vt = VT_EMPTY;
    return E_INVALIDARG;
  }
};

KEEP static bool call(Server &server, int member) {
  DISPPARAMS none = {};
  VARIANT result = {};
  EXCEPINFO info = {};
  bool fails = server.Invoke(member, &none, &result, &info, nullptr) < 0;
#ifdef FIXED
  SysFreeString(info.bstrSource);
  SysFreeString(info.bstrDescription);
#endif
  return fails;
}

int main() {
  Server server;
  return call(server, 1) && call(server, 2) ? 0 : 1;
}
