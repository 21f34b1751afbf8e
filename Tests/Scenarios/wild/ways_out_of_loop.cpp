// flags: -O1
// twin: -DFIXED
// leak: 3 24 Area::get_Label ways_out_of_loop.cpp:10 rule=out owner=findArea:*
// leak: 2 24 findArea ways_out_of_loop.cpp:36 rule=in|- owner=findArea:*|-
// Areas are searched by label. Every way out of the loop forgets the label, and a name is made in an argument list.
#include "variant.h"
struct Area {
  int number;
  APART HRESULT get_Label(BSTR *label) {
    *label = SysAllocStringLen(T("area\0") , 4);
    (*label)[3] = (OLECHAR)(T('0') + number);
    return S_OK;
  }
  APART HRESULT load(BSTR part, void **handle) {
    *handle = SysStringLen(part) > 2 && number ? this : nullptr;
    return *handle ? S_OK : E_INVALIDARG;
  }
};
APART Area *findArea(Area *areas, int count, OLECHAR wanted) {
  for (int i = 0; i < count; i++) {
    BSTR label = nullptr;
    areas[i].get_Label(&label);
    if (label && label[3] == wanted) {
#ifdef FIXED
      SysFreeString(label);
#endif
      return &areas[i];
    }
    void *handle = nullptr;
#ifdef FIXED
    BSTR part = SysAllocString(T("bridge"));
    areas[i].load(part, &handle);
    SysFreeString(part);
    SysFreeString(label);
#else
    areas[i].load(SysAllocString(T("bridge")), &handle);
#endif
    if (!handle) continue;
  }
  return nullptr;
}
int main() {
  Area areas[] = {{0}, {1}, {2}};
  return findArea(areas, 3, T('2')) == areas + 2 ? 0 : 1;
}
