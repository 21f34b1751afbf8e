// leak: 2 16 Table::GetIDsOfNames(char16_t**, unsigned int, int*) names_are_looked_up.cpp:10 rule=- owner=-
// leak: 2 16 Table::indexOf(unsigned int, char16_t**, int*) names_are_looked_up.cpp:20 rule=- owner=-
// twin: -DFIXED
// Pointers to strings that have a length beside them are arrays, which a getter is given, too: what it makes is its own.
// Corrected: the functions free what they make.
#include "text.h"

struct Table {
  KEEP HRESULT GetIDsOfNames(BSTR *names, UINT count, int *ids) {
    BSTR key = SysAllocStringLen(names[0], 4);
    for (UINT i = 0; i < count; i++) ids[i] = (int)SysStringLen(key);
#ifdef FIXED
    SysFreeString(key);
#endif
    return S_OK;
  }
  KEEP HRESULT indexOf(UINT count, BSTR *names, int *index) {
    *index = 0;
    for (UINT i = 0; i + 1 < count; i++) {
      BSTR key = SysAllocStringLen(names[i], 4);
      *index += (int)SysStringLen(key);
#ifdef FIXED
      SysFreeString(key);
#endif
    }
    return S_OK;
  }
};

int main() {
  Table table;
  BSTR names[] = {SysAllocString(T("Open")), SysAllocString(T("Close"))};
  int ids[2] = {}, index = 0;
  for (int i = 0; i < 2; i++) {
    table.GetIDsOfNames(names, 2, ids);
    table.indexOf(2, names, &index);
  }
  for (BSTR name : names) SysFreeString(name);
  return ids[1] == 4 && index == 4 ? 0 : 1;
}
