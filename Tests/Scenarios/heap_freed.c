// widths: 2 4
// fault: invalid-free heap 1 detected=main:9 freed=- allocated=-
// Bug class 11: SysFreeString on memory that came from malloc.
#include "text.h"

int main(void) {
  OLECHAR *characters = malloc(64);
  memset(characters, 0x41, 64);
  SysFreeString(characters);
  free(characters);
  return 0;
}
