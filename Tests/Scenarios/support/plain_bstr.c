// A program's own copy of the BSTR functions, in a shared library and in the layout of bstr.h: what
// an unmodified program brings along.

#include <stdlib.h>
#include <string.h>

#include "bstr.h"

void bstrtrace_set_profile(uint32_t olecharBytes, uint32_t payloadOffset) {
  (void)olecharBytes, (void)payloadOffset;
}

// The functions are kept whole: neither inlined, nor with copies for certain arguments.
#if defined(__clang__)
#define KEPT __attribute__((noinline, used))
#else
#define KEPT __attribute__((noinline, noclone))
#endif

static BSTR make(const void *source, UINT bytes) {
  char *block = malloc(BSTR_PAYLOAD_OFFSET + bytes + 2 * sizeof(OLECHAR));
  if (!block) return NULL;
  char *text = block + BSTR_PAYLOAD_OFFSET;
  memcpy(text - 4, &bytes, 4);
  if (source) memcpy(text, source, bytes);
  else memset(text, 0, bytes);
  memset(text + bytes, 0, 2 * sizeof(OLECHAR));
  return (BSTR)(void *)text;
}

KEPT BSTR SysAllocString(const OLECHAR *psz) {
  UINT count = 0;
  if (!psz) return NULL;
  while (psz[count]) count++;
  return make(psz, count * sizeof(OLECHAR));
}

KEPT BSTR SysAllocStringLen(const OLECHAR *characters, UINT count) {
  return make(characters, count * sizeof(OLECHAR));
}

KEPT BSTR SysAllocStringByteLen(const char *bytes, UINT count) { return make(bytes, count); }

KEPT void SysFreeString(BSTR bstr) {
  if (bstr) free((char *)(void *)bstr - BSTR_PAYLOAD_OFFSET);
}

KEPT UINT SysStringByteLen(BSTR bstr) {
  UINT bytes = 0;
  if (bstr) memcpy(&bytes, (char *)(void *)bstr - 4, 4);
  return bytes;
}

KEPT UINT SysStringLen(BSTR bstr) { return SysStringByteLen(bstr) / sizeof(OLECHAR); }

KEPT INT SysReAllocString(BSTR *bstr, const OLECHAR *psz) {
  BSTR copy = SysAllocString(psz);
  SysFreeString(*bstr);
  *bstr = copy;
  return 1;
}

KEPT INT SysReAllocStringLen(BSTR *bstr, const OLECHAR *characters, UINT count) {
  BSTR copy = SysAllocStringLen(characters, count);
  SysFreeString(*bstr);
  *bstr = copy;
  return 1;
}

// Counted, so that the functions do something.
static volatile unsigned pins;

KEPT HRESULT SysAddRefString(BSTR bstr) { return (void)bstr, pins++, S_OK; }

KEPT void SysReleaseString(BSTR bstr) { (void)bstr, pins--; }
