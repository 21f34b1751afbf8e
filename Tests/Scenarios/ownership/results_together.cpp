// leak: 2 24 copy(char16_t const*) results_together.cpp:14 rule=out owner=list:46 producer=Catalog::read:*
// leak: 2 20 copy(char16_t const*) results_together.cpp:14 rule=out owner=list:46 producer=Catalog::read:*
// leak: 2 16 Catalog::get_Both(char16_t**, char16_t**) results_together.cpp:21 rule=out owner=show:35 producer=Catalog::get_Both:*
// twin: -DFIXED
// A call returns two strings, or three in a structure, which a helper makes: the caller frees one and forgets others.
// Corrected: it frees all.
#include "text.h"

struct Entry {
  BSTR key, value, note;
};

KEEP static BSTR copy(const OLECHAR *text) {
  BSTR made = SysAllocString(text);
  return made;
}

struct Catalog {
  KEEP HRESULT get_Both(BSTR *name, BSTR *text) {
    *name = SysAllocString(T("a name"));
    *text = SysAllocString(T("text"));
    return S_OK;
  }
  KEEP HRESULT read(int row, Entry *entry) {
    if (row < 0) return E_INVALIDARG;
    entry->key = copy(T("a key"));
    entry->value = copy(T("value"));
    entry->note = copy(T("a note"));
    return S_OK;
  }
};

KEEP static UINT show(Catalog &catalog) {
  BSTR name = nullptr, text = nullptr;
  catalog.get_Both(&name, &text);
  UINT length = SysStringLen(name) + SysStringLen(text);
  SysFreeString(name);
#ifdef FIXED
  SysFreeString(text);
#endif
  return length;
}

KEEP static UINT list(Catalog &catalog, int row) {
  Entry entry = {};
  catalog.read(row, &entry);
  UINT length = SysStringLen(entry.key) + SysStringLen(entry.value) + SysStringLen(entry.note);
  SysFreeString(entry.key);
#ifdef FIXED
  SysFreeString(entry.value);
  SysFreeString(entry.note);
#endif
  return length;
}

int main() {
  Catalog catalog;
  UINT all = 0;
  for (int row = 0; row < 2; row++) all += show(catalog) + list(catalog, row);
  return all == 52 ? 0 : 1;
}
