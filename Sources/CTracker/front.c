// Finds the library in front of this copy, which has loaded it (CFront).

#define _GNU_SOURCE
#include <link.h>

#include "CTracker.h"
#include "notes.h"

static int find(struct dl_phdr_info *module, size_t bytes, void *context) {
  (void)bytes;
  struct ct_front *front =
      ct_noted_address(ct_find_note(module->dlpi_phdr, module->dlpi_phnum, module->dlpi_addr,
                                    CT_NOTE_NAME, sizeof CT_NOTE_NAME, CT_NOTE_FRONT));
  if (!front || __atomic_load_n(&front->loading, __ATOMIC_ACQUIRE) == 0) return 0;
  *(struct ct_front **)context = front;
  return 1;
}

struct ct_front *ct_front(void) {
  static struct ct_front *known;
  if (ct_role != 1) return NULL;
  struct ct_front *front = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (front) return front;
  dl_iterate_phdr(find, &front);
  __atomic_store_n(&known, front, __ATOMIC_RELAXED);
  return front;
}
