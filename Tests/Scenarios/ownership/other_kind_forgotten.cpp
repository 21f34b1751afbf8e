// leak: 2 10 Item::getProperty(int, VARIANT*) other_kind_forgotten.cpp:14 rule=out owner=list:* producer=Item::getProperty:*
// twin: -DFIXED
// One function returns properties of several kinds, each made in a line of its own. Who asks for the one clears it, who
// asks for the other forgets it: what the function does with its strings holds for all of its lines.
// Corrected: both clear what they get.
#include "text.h"

struct Item {
  KEEP HRESULT getProperty(int kind, VARIANT *value) {
    value->vt = VT_BSTR;
    if (kind == 1) {
      value->bstrVal = SysAllocString(T("a path"));
    } else {
      value->bstrVal = SysAllocStringLen(T("crc32"), 2 + (UINT)kind % 2);
    }
    return S_OK;
  }
};

KEEP static UINT extract(Item &item) {
  VARIANT value = {};
  item.getProperty(1, &value);
  UINT length = SysStringLen(value.bstrVal);
  VariantClear(&value);
  return length;
}

KEEP static UINT list(Item &item, int kind) {
  VARIANT value = {};
  item.getProperty(kind, &value);
  UINT length = SysStringLen(value.bstrVal);
#ifdef FIXED
  VariantClear(&value);
#endif
  return length;
}

int main() {
  Item item;
  UINT all = extract(item) + extract(item) + extract(item);
  all += list(item, 2) + list(item, 3);
  return all == 23 ? 0 : 1;
}
