// Literals of OLECHARs in either width, and the little of COM that the scenarios need.

#ifndef SCENARIO_TEXT_H
#define SCENARIO_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "bstr.h"
#include "bstrtrace.h"

#if BSTR_OLECHAR_BYTES == 2
#define T(text) u##text
#else
#define T(text) L##text
#endif

/// Keeps a function and its frame where the source has them.
#define KEEP __attribute__((noinline))

/// The part of a VARIANT that owns strings, or does not.
enum { VT_EMPTY = 0, VT_BSTR = 8, VT_BYREF = 0x4000 };

typedef struct {
  unsigned short vt;
  union {
    BSTR bstrVal;
    BSTR *pbstrVal;
  };
} VARIANT;

static inline void VariantClear(VARIANT *variant) {
  if (variant->vt == VT_BSTR) SysFreeString(variant->bstrVal);
  variant->vt = VT_EMPTY;
}

#endif
