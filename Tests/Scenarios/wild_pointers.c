// widths: 2 4
// fault: invalid-free * 4000 detected=main:16 freed=- allocated=-
// Four thousand random addresses are freed: each is reported, and none does harm.
#include "text.h"

int main(void) {
  uint64_t state = 7;
  for (int i = 0; i < 4000; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    uint64_t address = state;
    // A third each: anywhere, in the lower half, and near this program's own memory.
    if (i % 3 == 1) address &= 0x7FFFFFFFFFFF;
    if (i % 3 == 2) address = (uint64_t)(uintptr_t)&state + (state & 0xFFFFFF) - 0x800000;
    SysFreeString((BSTR)(uintptr_t)(address | 1));
  }
  return 0;
}
