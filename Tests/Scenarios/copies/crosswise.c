// Two copies of the functions, of which each frees what the other made; one string is forgotten.
#include <dlfcn.h>
#include <stdlib.h>

#include "bstr.h"

int main(int count, char **arguments) {
  void *handle = dlopen(count > 1 ? arguments[1] : "", RTLD_NOW | RTLD_LOCAL);
  if (!handle) return 9;
  BSTR (*make)(const OLECHAR *) = (BSTR (*)(const OLECHAR *))dlsym(handle, "SysAllocString");
  void (*release)(BSTR) = (void (*)(BSTR))dlsym(handle, "SysFreeString");
  UINT (*length)(BSTR) = (UINT (*)(BSTR))dlsym(handle, "SysStringLen");
  INT (*resize)(BSTR *, const OLECHAR *, UINT) =
      (INT (*)(BSTR *, const OLECHAR *, UINT))dlsym(handle, "SysReAllocStringLen");
  BSTR here = SysAllocString(u"made here"), there = make(u"made there");
  if (length(here) != 9 || SysStringLen(there) != 10) return 1;
  if (!resize(&here, u"resized there", 13) || SysStringLen(here) != 13) return 2;
  release(here);
  SysFreeString(there);
  free((char *)(void *)make(u"freed by its block") - BSTR_PAYLOAD_OFFSET);
  make(u"forgotten");
  return 0;
}
