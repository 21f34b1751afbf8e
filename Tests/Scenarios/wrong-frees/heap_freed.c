// widths: 2 4
// fault: invalid-free heap 1 detected=main:12 freed=- allocated=-
// twin: -DFIXED
// Bug class 11: SysFreeString on memory that came from malloc.
// Corrected: what came from malloc goes to free.
#include "text.h"

int main(void) {
  OLECHAR *characters = malloc(64);
  memset(characters, 0x41, 64);
#ifndef FIXED
  SysFreeString(characters);
#endif
  free(characters);
  return 0;
}
