// Defines the filter of CTracker.h, and its small things.

#define _GNU_SOURCE
#include "CTracker.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_COMPLAINTS = 20 };

uint8_t ct_filter[1u << CT_FILTER_BITS];
uint32_t ct_free_mode;
uint8_t ct_fast_path_layout;
void *ct_tracker;

__attribute__((weak)) const uint32_t ct_role = 2;

void ct_begin_probe(void) {
  struct ct_thread *thread = ct_thread();
  thread->probing = true;
  thread->probed_string = 0;
  thread->probed_offset = -1;
  __atomic_fetch_add(&ct_free_mode, CT_PROBE, __ATOMIC_RELAXED);
}

void ct_end_probes_in_child(void) {
  struct ct_thread *thread = ct_this_thread;
  if (thread) thread->probing = false;
  __atomic_fetch_and(&ct_free_mode, CT_PROBE - 1, __ATOMIC_RELAXED);
}

void ct_end_probe(void) {
  ct_thread()->probing = false;
  __atomic_fetch_sub(&ct_free_mode, CT_PROBE, __ATOMIC_RELAXED);
}

void ct_make_printable(char *line, size_t bytes) {
  uint8_t *at = (uint8_t *)line;
  for (size_t i = 0; i < bytes; i++) {
    size_t odd = 0;
    if (at[i] < 0x20 || at[i] == 0x7F) {
      odd = 1;
    } else if (bytes - i > 1 && at[i] == 0xC2 && at[i + 1] < 0xA0) {
      odd = 2;  // U+0080 to U+009F
    } else if (bytes - i > 2 && at[i] == 0xE2 &&
               ((at[i + 1] == 0x80 && ((at[i + 2] & 0xF0) == 0x80 ? at[i + 2] > 0x8A
                                                                  : at[i + 2] > 0xA7 && at[i + 2] < 0xAF)) ||
                (at[i + 1] == 0x81 && at[i + 2] >= 0xA0 && at[i + 2] < 0xB0))) {
      odd = 3;  // U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F
    }
    if (odd == 0) continue;
    memset(at + i, '?', odd);
    i += odd - 1;
  }
}

void ct_warn_scope_misuse(const void *name, size_t bytes, uint32_t scope, const uint8_t *what) {
  // A mistake in a loop is told a few times, and not for ever.
  static int told;
  int number = __atomic_fetch_add(&told, 1, __ATOMIC_RELAXED);
  if (number >= MAX_COMPLAINTS) {
    static const char last[] = "bstrtrace: more is wrong with scopes, and not told\n";
    if (number == MAX_COMPLAINTS && write(2, last, sizeof last - 1) < 0) return;
    return;
  }
  char line[1400];
  int length = bytes ? snprintf(line, sizeof line, "bstrtrace: the scope '%.*s' (%u) %s\n",
                                (int)bytes, (const char *)name, scope, (const char *)what)
                     : snprintf(line, sizeof line, "bstrtrace: the scope %u %s\n", scope,
                                (const char *)what);
  if (length <= 0 || (size_t)length >= sizeof line) return;
  ct_make_printable(line, (size_t)length - 1);
  if (write(2, line, (size_t)length) < 0) return;
}

bool ct_store_path(char *path, size_t bytes, const char *directory, int attempt) {
  int length = snprintf(path, bytes, "%s/%d.%d.store", directory, (int)getpid(), attempt);
  return length > 0 && (size_t)length < bytes;
}
