// Decodes the call in front of a return address.

#include <string.h>

#include "CTracker.h"
#include "definitions.h"

#if defined(__x86_64__)

static bool is_code(uintptr_t address, size_t bytes) {
  // A call that starts on another page than its return address is rare, and that page need not be
  // mapped.
  return (address & 4095) <= 4096 - bytes || ct_is_readable(address, bytes);
}

static int32_t displacement(uintptr_t address) {
  int32_t value;
  memcpy(&value, (const void *)address, sizeof value);
  return value;
}

// Returns the content of an entry of a module's global offset table.
static uintptr_t slot(uintptr_t address) {
  return ct_is_readable(address, 8) ? *(const uintptr_t *)address : 0;
}

uintptr_t ct_called_function(uintptr_t return_address) {
  uintptr_t call = return_address - 6;
  if (return_address < 4096 || !ct_module_of(return_address) || !is_code(call, 6)) return 0;
  const uint8_t *code = (const uint8_t *)call;
  // call *displacement(%rip)
  if (code[0] == 0xFF && code[1] == 0x15) return slot(return_address + displacement(call + 2));
  // call displacement
  if (code[1] != 0xE8) return 0;
  uintptr_t target = return_address + displacement(call + 2);
  if (!ct_module_of(target) || !ct_is_readable(target, 16)) return 0;
  // An entry of the linkage table: [endbr64,] [bnd] jmp *displacement(%rip)
  uintptr_t entry = target;
  static const uint8_t endbr64[] = {0xF3, 0x0F, 0x1E, 0xFA};
  if (memcmp((const void *)entry, endbr64, sizeof endbr64) == 0) entry += sizeof endbr64;
  if (*(const uint8_t *)entry == 0xF2) entry++;
  const uint8_t *jump = (const uint8_t *)entry;
  if (jump[0] == 0xFF && jump[1] == 0x25) return slot(entry + 6 + displacement(entry + 2));
  return target;
}

const bool ct_decodes_calls = true;

#else

const bool ct_decodes_calls = false;

uintptr_t ct_called_function(uintptr_t return_address) { return (void)return_address, 0; }

#endif
