// A VARIANT, as much as strings need of it, for the programs in the folder `wild`.
#ifndef VARIANT_H
#define VARIANT_H
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include "bstr.h"
#if BSTR_OLECHAR_BYTES == 2
#define T(s) u##s
#else
#define T(s) L##s
#endif
#define APART __attribute__((noinline))  // as if it were in another file
enum { VT_EMPTY = 0, VT_I4 = 3, VT_BSTR = 8, VT_DISPATCH = 9, VT_VARIANT = 12, VT_BYREF = 0x4000 };
typedef struct VARIANT {
  unsigned short vt;
  union { int lVal; void *pdispVal; BSTR bstrVal; BSTR *pbstrVal; struct VARIANT *pvarVal; };
} VARIANT;
#ifdef __cplusplus
extern "C" {
#endif
APART HRESULT VariantClear(VARIANT *v);
APART HRESULT VariantCopy(VARIANT *to, const VARIANT *from);
APART HRESULT VariantChangeType(VARIANT *to, VARIANT *from, unsigned short vt);
#ifdef __cplusplus
}
#endif
#ifdef VARIANT_FUNCTIONS
APART HRESULT VariantClear(VARIANT *v) {
  if (v->vt == VT_BSTR) SysFreeString(v->bstrVal);
  v->vt = VT_EMPTY;
  return S_OK;
}
APART HRESULT VariantCopy(VARIANT *to, const VARIANT *from) {
  VariantClear(to);
  *to = *from;
  if (from->vt == VT_BSTR) to->bstrVal = SysAllocStringLen(from->bstrVal, SysStringLen(from->bstrVal));
  return S_OK;
}
APART HRESULT VariantChangeType(VARIANT *to, VARIANT *from, unsigned short vt) {
  if (vt != VT_BSTR || from->vt != VT_I4) return E_INVALIDARG;
  OLECHAR digits[12];
  int n = 12, value = from->lVal;
  do digits[--n] = (OLECHAR)(T('0') + value % 10); while (value /= 10);
  BSTR text = SysAllocStringLen(digits + n, 12 - n);
  VariantClear(to);
  to->vt = VT_BSTR;
  to->bstrVal = text;
  return S_OK;
}
#endif
#endif
