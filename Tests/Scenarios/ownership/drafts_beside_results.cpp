// leak: 4 96 Catalog::get_Title(Options*, char16_t**) drafts_beside_results.cpp:29 rule=- owner=-
// leak: 4 88 Catalog::join(Options*) drafts_beside_results.cpp:36 rule=- owner=-
// leak: 4 80 Catalog::read(Options*, Entry*) drafts_beside_results.cpp:43 rule=- owner=-
// leak: 4 64 Catalog::get_Pair(Options*, char16_t**, char16_t**) drafts_beside_results.cpp:62 rule=- owner=-
// leak: 1 8 Catalog::get_Both(int, char16_t**, char16_t**) drafts_beside_results.cpp:53 rule=- owner=-
// twin: -DFIXED
// Functions make a draft beside each result and forget it, while their callers free all that they get: the caller is
// not to blame for what it never saw.
// Corrected: the functions free their drafts.
#include "text.h"

struct Options {
  UINT width;
};

struct Entry {
  BSTR key, value;
};

#ifdef FIXED
#define FORGET(text) SysFreeString(text)
#else
#define FORGET(text) (void)text
#endif

struct Catalog {
  /// One result by its type.
  KEEP HRESULT get_Title(Options *options, BSTR *title) {
    BSTR draft = SysAllocStringLen(T("title with a rest"), options->width + 2);
    *title = SysAllocStringLen(draft, 5);
    FORGET(draft);
    return S_OK;
  }
  /// The result is no parameter.
  KEEP BSTR join(Options *options) {
    BSTR draft = SysAllocStringLen(T("joined with a rest"), options->width + 1);
    BSTR joined = SysAllocStringLen(draft, 6);
    FORGET(draft);
    return joined;
  }
  /// A structure, which says nothing.
  KEEP HRESULT read(Options *options, Entry *entry) {
    BSTR draft = SysAllocStringLen(T("an entry with a rest"), options->width);
    entry->key = SysAllocStringLen(draft, 2);
    entry->value = SysAllocStringLen(draft, 8);
    FORGET(draft);
    return S_OK;
  }
  /// The draft is that of a call that fails.
  KEEP HRESULT get_Both(int row, BSTR *name, BSTR *text) {
    *name = *text = nullptr;
    if (row == 3) {
      BSTR draft = SysAllocString(T("both"));
      FORGET(draft);
      return E_OUTOFMEMORY;
    }
    *name = SysAllocString(T("one"));
    return S_OK;
  }
  /// Another string that it makes is its own.
  KEEP HRESULT get_Pair(Options *options, BSTR *name, BSTR *text) {
    BSTR draft = SysAllocStringLen(T("pair of strings"), options->width - 2);
    *name = SysAllocStringLen(draft, 4);
    *text = nullptr;
    FORGET(draft);
    BSTR other = SysAllocString(T("no"));
    SysFreeString(other);
    return S_OK;
  }
};

KEEP static UINT use(Catalog &catalog, int row) {
  Options options = {10};
  BSTR title = nullptr, name = nullptr, text = nullptr, other = nullptr, none = nullptr;
  Entry entry = {};
  catalog.get_Title(&options, &title);
  BSTR joined = catalog.join(&options);
  catalog.read(&options, &entry);
  catalog.get_Both(row, &name, &text);
  catalog.get_Pair(&options, &other, &none);
  UINT length = SysStringLen(title) + SysStringLen(joined) + SysStringLen(entry.value);
  BSTR all[] = {title, joined, entry.key, entry.value, name, text, other, none};
  for (BSTR one : all) SysFreeString(one);
  return length;
}

int main() {
  Catalog catalog;
  UINT all = 0;
  for (int row = 0; row < 4; row++) all += use(catalog, row);
  return all == 76 ? 0 : 1;
}
