// widths: 2 4
// fault: invalid-free * 4000 detected=main:17 freed=- allocated=-
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
    // Every second one where a string may lie, so that what is in front of it is looked at.
    SysFreeString((BSTR)(uintptr_t)(i % 2 ? address | 1 : (address & ~(uint64_t)15) + 8));
  }
  return 0;
}
