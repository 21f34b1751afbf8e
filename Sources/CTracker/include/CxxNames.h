/// \file CxxNames.h
/// The names that the BSTR functions have in C++ programs that declare them without extern "C", by
/// the Itanium C++ ABI (5.1, "External Names"): the parameters' types are in the name, and with them
/// the type of a character.

#ifndef BSTRTRACE_CXXNAMES_H
#define BSTRTRACE_CXXNAMES_H

/// The names of functions that take characters of one type: `wchar_t` (w), `char16_t` (Ds) or
/// `unsigned short` (t).
///
/// - `NAME(function, symbol, bytes)`: the C function, its C++ name, and the bytes of a character.
#define CT_CXX_NAMES_OF(NAME, type, bytes)                                                         \
  NAME(SysFreeString, _Z13SysFreeStringP##type, bytes)                                             \
  NAME(SysAllocString, _Z14SysAllocStringPK##type, bytes)                                          \
  NAME(SysAllocStringLen, _Z17SysAllocStringLenPK##type##j, bytes)                                 \
  NAME(SysReAllocString, _Z16SysReAllocStringPP##type##PK##type, bytes)                            \
  NAME(SysReAllocStringLen, _Z19SysReAllocStringLenPP##type##PK##type##j, bytes)                   \
  NAME(SysStringLen, _Z12SysStringLenP##type, bytes)                                               \
  NAME(SysStringByteLen, _Z16SysStringByteLenP##type, bytes)                                       \
  NAME(SysAddRefString, _Z15SysAddRefStringP##type, bytes)                                         \
  NAME(SysReleaseString, _Z16SysReleaseStringP##type, bytes)

/// All of them; 0 bytes where the name does not tell. `wchar_t` has 4 bytes on Linux, unless a
/// program is compiled with -fshort-wchar.
#define CT_CXX_NAMES(NAME)                                                                         \
  CT_CXX_NAMES_OF(NAME, w, 4)                                                                      \
  CT_CXX_NAMES_OF(NAME, Ds, 2)                                                                     \
  CT_CXX_NAMES_OF(NAME, t, 2)                                                                      \
  NAME(SysAllocStringByteLen, _Z21SysAllocStringByteLenPKcj, 0)

#endif
