/// \file bstr.h
/// The BSTR functions under their Windows names, for C11, C++17 and Swift.
///
/// A BSTR points to its first character. A 32-bit count of payload bytes stands at -4, a whole zero
/// character behind the payload. NULL is a legal BSTR: it means the empty string and owns nothing.
///
/// This header declares the contract of oleauto.h. It does not declare what bstrtrace adds to it:
/// that is bstrtrace.h.

#ifndef BSTR_H
#define BSTR_H

#include <stddef.h>
#include <stdint.h>

/// Bytes of one OLECHAR: 2 (`char16_t`, the layout of Windows and the default) or 4 (`wchar_t`).
///
/// Define it to 4, for the whole program, before the first inclusion.
#ifndef BSTR_OLECHAR_BYTES
#define BSTR_OLECHAR_BYTES 2
#endif

/// Bytes from the start of the heap block to the first character: 8 (Windows, the default) or 4.
#ifndef BSTR_PAYLOAD_OFFSET
#define BSTR_PAYLOAD_OFFSET 8
#endif

#if BSTR_OLECHAR_BYTES == 2
#ifndef __cplusplus
#include <uchar.h>
#endif
typedef char16_t OLECHAR;
#elif BSTR_OLECHAR_BYTES == 4
typedef wchar_t OLECHAR;
#else
#error "BSTR_OLECHAR_BYTES must be 2 or 4"
#endif

#if BSTR_PAYLOAD_OFFSET != 4 && BSTR_PAYLOAD_OFFSET != 8
#error "BSTR_PAYLOAD_OFFSET must be 4 or 8"
#endif

/// A string with its byte length in front of it, owned by the one that must call SysFreeString.
typedef OLECHAR *BSTR;
typedef unsigned int UINT;
typedef int INT;
typedef uint32_t ULONG;
typedef uint32_t LCID;
/// 32 bits on every platform, as on Windows; negative means failure.
typedef int32_t HRESULT;

#ifndef S_OK
#define S_OK ((HRESULT)0)
#endif
#ifndef E_INVALIDARG
#define E_INVALIDARG ((HRESULT)0x80070057)
#endif
#ifndef E_OUTOFMEMORY
#define E_OUTOFMEMORY ((HRESULT)0x8007000E)
#endif

/// What VarBstrCmp returns.
#ifndef VARCMP_EQ
#define VARCMP_LT ((HRESULT)0)
#define VARCMP_EQ ((HRESULT)1)
#define VARCMP_GT ((HRESULT)2)
#endif

#if defined(__clang__)
#define BSTR_NULLABLE _Nullable
#define BSTR_NONNULL _Nonnull
#else
#define BSTR_NULLABLE
#define BSTR_NONNULL
#endif

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define BSTR_ALLOCATED \
  __attribute__((warn_unused_result, malloc, malloc(SysFreeString, 1)))
#elif defined(__GNUC__)
#define BSTR_ALLOCATED __attribute__((warn_unused_result, malloc))
#else
#define BSTR_ALLOCATED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Frees `bstr`; NULL does nothing. While it is pinned the free waits for the last unpinning.
void SysFreeString(BSTR BSTR_NULLABLE bstr);

/// A copy of `psz` up to its first zero character. NULL gives NULL; "" gives a valid empty BSTR.
/// NULL also when memory is exhausted.
BSTR_ALLOCATED BSTR BSTR_NULLABLE SysAllocString(const OLECHAR *BSTR_NULLABLE psz);

/// `count` characters copied from `characters`, embedded zeros kept; zero-filled when `characters`
/// is NULL. NULL when memory is exhausted or the size overflows (see Docs/Functions.md).
BSTR_ALLOCATED BSTR BSTR_NULLABLE SysAllocStringLen(const OLECHAR *BSTR_NULLABLE characters,
                                                    UINT count);

/// `count` bytes copied from `bytes` exactly, an odd count too; zero-filled when `bytes` is NULL.
/// NULL when memory is exhausted or the size overflows.
BSTR_ALLOCATED BSTR BSTR_NULLABLE SysAllocStringByteLen(const char *BSTR_NULLABLE bytes,
                                                        UINT count);

/// Replaces `*bstr` by a copy of `psz` (NULL: by NULL) and frees the old string.
/// Returns 1, or 0 when memory is exhausted; the old string is then left valid.
INT SysReAllocString(BSTR BSTR_NULLABLE *BSTR_NONNULL bstr, const OLECHAR *BSTR_NULLABLE psz);

/// Resizes `*bstr` to `count` characters: copied from `characters`, which may be `*bstr` itself, or
/// the old ones kept when `characters` is NULL. Shrinking keeps the pointer.
/// Returns 1, or 0 when memory is exhausted; the old string is then left valid.
INT SysReAllocStringLen(BSTR BSTR_NULLABLE *BSTR_NONNULL bstr,
                        const OLECHAR *BSTR_NULLABLE characters, UINT count);

/// Characters in `bstr`, rounded down; 0 for NULL. A pure read of the prefix.
UINT SysStringLen(BSTR BSTR_NULLABLE bstr);

/// Bytes in `bstr`; 0 for NULL. A pure read of the prefix.
UINT SysStringByteLen(BSTR BSTR_NULLABLE bstr);

/// Pins `bstr`: a SysFreeString is deferred until as many SysReleaseString have followed.
/// S_OK, or E_OUTOFMEMORY when the pin cannot be remembered. NULL is S_OK.
HRESULT SysAddRefString(BSTR BSTR_NULLABLE bstr);

/// Removes one pin, and frees the string if its SysFreeString was waiting for that.
void SysReleaseString(BSTR BSTR_NULLABLE bstr);

/// Accepted and without effect: there is no cache of freed strings here.
void SetOaNoCache(void);

/// Stores the concatenation of `left` and `right` in `*result`, counting bytes; never NULL.
/// S_OK, E_INVALIDARG when `result` is NULL, or E_OUTOFMEMORY.
HRESULT VarBstrCat(BSTR BSTR_NULLABLE left, BSTR BSTR_NULLABLE right,
                   BSTR BSTR_NULLABLE *BSTR_NULLABLE result);

/// VARCMP_LT, VARCMP_EQ or VARCMP_GT by bytes, then by length; NULL equals the empty string.
/// `locale` and `flags` are accepted and without effect.
HRESULT VarBstrCmp(BSTR BSTR_NULLABLE left, BSTR BSTR_NULLABLE right, LCID locale, ULONG flags);

/// Tells the library how the calling module lays its BSTRs out. Called by the constructor below.
void bstrtrace_set_profile(uint32_t olecharBytes, uint32_t payloadOffset);

/// Bytes of one OLECHAR in this process, 2 or 4: as the program said, or as was detected in it. For
/// code that serves programs of both kinds, as Swift's `OwnedBSTR` does.
uint32_t bstrtrace_olechar_bytes(void);

#ifdef __cplusplus
}
#endif

/// What stands in front of the length of a `BSTR_LITERAL`.
#define BSTR_LITERAL_MARK 0x4C525453u

/// Defines `name`, a static BSTR that is never freed: `BSTR_LITERAL(unknown, u"unknown");`
/// `text` is a literal of OLECHARs. The mark lets bstrtrace say what it was when it is freed.
#define BSTR_LITERAL(name, text)                                             \
  static struct {                                                            \
    uint32_t mark, byteLength;                                               \
    OLECHAR characters[sizeof(text) / sizeof(OLECHAR)];                      \
  } name##_literal __attribute__((aligned(8))) = {                           \
      BSTR_LITERAL_MARK, (uint32_t)(sizeof(text) - sizeof(OLECHAR)), text};  \
  static const BSTR name = name##_literal.characters

#if BSTR_OLECHAR_BYTES == 2 && BSTR_PAYLOAD_OFFSET == 8
/// Another provider of the default layout's functions need not know of it.
extern __typeof__(bstrtrace_set_profile) bstrtrace_set_profile __attribute__((weak));
#define BSTR_CAN_ANNOUNCE (bstrtrace_set_profile != NULL)
#else
#define BSTR_CAN_ANNOUNCE 1
#endif

/// A program says how it lays its strings out before its own constructors run.
#ifndef BSTR_IN_LIBRARY
__attribute__((constructor(102)))
#endif
static void bstr_announce_profile(void) {
  if (BSTR_CAN_ANNOUNCE) bstrtrace_set_profile(BSTR_OLECHAR_BYTES, BSTR_PAYLOAD_OFFSET);
  // The caller is known by the address that the call returns to: it must not become a jump.
  __asm__ volatile("");
}

#endif
