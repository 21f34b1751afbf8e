// Opens a plug-in that brings the library along, and frees its strings with a free that was bound before.
#include <dlfcn.h>
#include <stdlib.h>

#include "bstr.h"

int main(int count, char **arguments) {
  void *handle = dlopen(count > 1 ? arguments[1] : "", RTLD_NOW | RTLD_LOCAL);
  if (!handle) return 9;
  void *(*make)(void) = (void *(*)(void))dlsym(handle, "make");
  for (int i = 0; i < 5; i++) free((char *)make() - BSTR_PAYLOAD_OFFSET);
  return 0;
}
