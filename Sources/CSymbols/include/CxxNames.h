/// \file CxxNames.h
/// The names that the BSTR functions have in C++ programs that declare them without extern "C", by
/// the Itanium C++ ABI (5.1, "External Names"): the parameters' types are in the name, and with
/// them the type of a character.

#ifndef BSTRTRACE_CXXNAMES_H
#define BSTRTRACE_CXXNAMES_H

/// The names of functions that take characters of one type: `wchar_t` (w), `char16_t` (Ds) or
/// `unsigned short` (t).
///
/// - `NAME(function, symbol, type)`: the C function, its C++ name, and the type.
#define CT_CXX_NAMES_OF(NAME, type)                                                                \
  NAME(SysFreeString, _Z13SysFreeStringP##type, type)                                              \
  NAME(SysAllocString, _Z14SysAllocStringPK##type, type)                                           \
  NAME(SysAllocStringLen, _Z17SysAllocStringLenPK##type##j, type)                                  \
  NAME(SysReAllocString, _Z16SysReAllocStringPP##type##PK##type, type)                             \
  NAME(SysReAllocStringLen, _Z19SysReAllocStringLenPP##type##PK##type##j, type)                    \
  NAME(SysStringLen, _Z12SysStringLenP##type, type)                                                \
  NAME(SysStringByteLen, _Z16SysStringByteLenP##type, type)                                        \
  NAME(SysAddRefString, _Z15SysAddRefStringP##type, type)                                          \
  NAME(SysReleaseString, _Z16SysReleaseStringP##type, type)

/// All of them; the type is c where the name has none of a character.
#define CT_CXX_NAMES(NAME)                                                                         \
  CT_CXX_NAMES_OF(NAME, w)                                                                         \
  CT_CXX_NAMES_OF(NAME, Ds)                                                                        \
  CT_CXX_NAMES_OF(NAME, t)                                                                         \
  NAME(SysAllocStringByteLen, _Z21SysAllocStringByteLenPKcj, c)

#endif
