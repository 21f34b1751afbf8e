// flags: -O1
// twin: -DFIXED
// fault: double-free - 1 detected=VariantClear:* freed=Text::~Text:* allocated=Text::Text:*
// A wrapper that is a temporary gives out its pointer and ends with the statement; the pointer goes into an array.
#define VARIANT_FUNCTIONS
#include "variant.h"
struct Text {
  BSTR text;
  APART explicit Text(const OLECHAR *source) : text(SysAllocString(source)) {}
  APART ~Text() { SysFreeString(text); }
  operator BSTR() const { return text; }
  BSTR detach() { BSTR result = text; text = nullptr; return result; }
};
struct Array { VARIANT cells[1]; };
APART unsigned ArrayDestroy(Array *array) {
  VariantClear(&array->cells[0]);
  delete array;
  return 1;
}
APART unsigned writeDocument(Array *array) { return array->cells[0].vt; }
APART unsigned showNotes(const OLECHAR *notes) {
  Array *array = new Array;
#ifdef FIXED
  BSTR content = Text(notes).detach();
#else
  BSTR content = Text(notes);
#endif
  array->cells[0].vt = VT_BSTR;
  array->cells[0].bstrVal = content;
  unsigned kind = writeDocument(array);
  return kind + ArrayDestroy(array);
}
int main() { return showNotes(T("<p>What is new in this release</p>")) == 9 ? 0 : 1; }
