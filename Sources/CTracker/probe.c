// Begins and ends probes of a program's own functions, during which `free` notes the blocks that
// they free.

#include "CTracker.h"

void ct_begin_probe(void) {
  struct ct_thread *thread = ct_thread();
  thread->probing = true;
  thread->probed_string = 0;
  thread->probed_offset = -1;
  __atomic_fetch_add(&ct_free_mode, CT_PROBE, __ATOMIC_RELAXED);
}

void ct_end_probes_in_child(void) {
  struct ct_thread *thread = ct_locals()->slot;
  if (thread) thread->probing = false;
  __atomic_fetch_and(&ct_free_mode, CT_PROBE - 1, __ATOMIC_RELAXED);
}

void ct_end_probe(void) {
  ct_thread()->probing = false;
  __atomic_fetch_sub(&ct_free_mode, CT_PROBE, __ATOMIC_RELAXED);
}
