// Asks a codec of 7-Zip for names of its methods, counts the strings that it gets, and forgets every third. The
// codec's functions are inside it: characters of 4 bytes, 4 bytes behind the start of a block.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

typedef struct {
  uint16_t type, reserved[3];
  wchar_t *text;
} PROPVARIANT;

enum { VT_BSTR = 8, kName = 1 };

int main(int count, char **arguments) {
  void *codec = dlopen(arguments[count - 1], RTLD_NOW);
  if (!codec) return puts(dlerror()), 1;
  int (*methods)(uint32_t *) = (int (*)(uint32_t *))dlsym(codec, "GetNumberOfMethods");
  int (*property)(uint32_t, uint32_t, PROPVARIANT *) =
      (int (*)(uint32_t, uint32_t, PROPVARIANT *))dlsym(codec, "GetMethodProperty");
  uint32_t all = 0, strings = 0;
  if (methods(&all) != 0 || all == 0) return 1;
  for (int i = 0; i < 30; i++) {
    PROPVARIANT value = {0};
    if (property(0, kName, &value) != 0 || value.type != VT_BSTR) return 1;
    strings++;
    if (i % 3 != 0) free((char *)value.text - 4);
    else if (i == 0) printf("%ls\n", value.text);
  }
  printf("%u strings\n", strings);
  return 0;
}
