// widths: 2 4
// Bug class 11, corrected: what came from malloc goes to free.
#include "text.h"

int main(void) {
  OLECHAR *characters = malloc(64);
  memset(characters, 0x41, 64);
  free(characters);
  return 0;
}
