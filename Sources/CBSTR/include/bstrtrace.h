/// \file bstrtrace.h
/// What bstrtrace adds to the functions of bstr.h. Everything here may stay in a program that runs
/// without bstrtrace: it then does nothing.

#ifndef BSTRTRACE_H
#define BSTRTRACE_H

#include "bstr.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Implemented by bstrtrace; absent from other programs. Call bstrtrace_immortal.
__attribute__((weak)) void bstrtrace_declare_immortal(BSTR BSTR_NULLABLE bstr);

/// Declares that `bstr` is never released: it is no leak, and to release it is a fault. NULL does
/// nothing. For strings that live as long as the program, static ones included.
static inline void bstrtrace_immortal(BSTR BSTR_NULLABLE bstr) {
  if (bstrtrace_declare_immortal) bstrtrace_declare_immortal(bstr);
}

#ifdef __cplusplus
}
#endif

#endif
