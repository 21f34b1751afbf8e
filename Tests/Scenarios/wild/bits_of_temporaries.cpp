// flags: -O1
// twin: -DFIXED
// fault: double-free - 4 detected=VariantClear:* freed=VariantClear:* allocated=Value::Value:*
// Cells are packed from temporary values, bit by bit; the temporaries clear what the table now has, too.
#define VARIANT_FUNCTIONS
#include <vector>
#include "variant.h"
struct Value : VARIANT {
  APART explicit Value(const OLECHAR *text) { vt = VT_BSTR; bstrVal = SysAllocString(text); }
  Value(const Value &) = delete;
  APART ~Value() { VariantClear(this); }
};
struct Table {
  std::vector<VARIANT> cells;
  ~Table() { for (VARIANT &cell : cells) VariantClear(&cell); }
};
APART void pack(Table &table, const OLECHAR *const *texts, int count) {
  table.cells.resize(count);
  for (int i = 0; i < count; i++) {
    Value value(texts[i]);
#ifdef FIXED
    VariantCopy(&table.cells[i], &value);
#else
    memcpy((void *)&table.cells[i], (void *)static_cast<VARIANT *>(&value), sizeof(VARIANT));
#endif
  }
}
APART unsigned receive(const Table &table) {
  unsigned sum = 0;
  for (const VARIANT &cell : table.cells) {
    BSTR copy = SysAllocStringLen(cell.bstrVal, SysStringLen(cell.bstrVal));
    sum += SysStringLen(copy);
    SysFreeString(copy);
  }
  return sum;
}
int main() {
  const OLECHAR *texts[] = {T("A00"), T("A10"), T("A20"), T("A30")};
  Table table;
  pack(table, texts, 4);
  receive(table);
}
