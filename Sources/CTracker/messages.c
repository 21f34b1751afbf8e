// Writes messages to standard error without the heap. Decides nothing.

#include "CTracker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_WARNINGS = 20 };

void ct_make_printable(char *line, size_t bytes) {
  uint8_t *at = (uint8_t *)line;
  for (size_t i = 0; i < bytes; i++) {
    size_t unprintable = 0;
    if (at[i] < 0x20 || at[i] == 0x7F) {
      unprintable = 1;
    } else if (bytes - i > 1 && at[i] == 0xC2 && at[i + 1] < 0xA0) {
      unprintable = 2;  // U+0080 to U+009F
    } else if (bytes - i > 2 && at[i] == 0xE2 &&
               ((at[i + 1] == 0x80 && ((at[i + 2] & 0xF0) == 0x80 ? at[i + 2] > 0x8A
                                                                  : at[i + 2] > 0xA7 && at[i + 2] < 0xAF)) ||
                (at[i + 1] == 0x81 && at[i + 2] >= 0xA0 && at[i + 2] < 0xB0))) {
      unprintable = 3;  // U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F
    }
    if (unprintable == 0) continue;
    memset(at + i, '?', unprintable);
    i += unprintable - 1;
  }
}

void ct_warn(const char *format, ...) {
  char line[1400];
  int saved = errno;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length > 0 && (size_t)length < sizeof line) {
    ct_make_printable(line, (size_t)length - 1);
    if (write(2, line, (size_t)length) < 0) length = 0;
  }
  errno = saved;
}

void ct_warn_scope_misuse(const void *name, size_t bytes, uint32_t scope, const uint8_t *what) {
  // A mistake in a loop is reported a few times, and not for ever.
  static int reported;
  int index = __atomic_fetch_add(&reported, 1, __ATOMIC_RELAXED);
  if (index > MAX_WARNINGS) return;
  if (index == MAX_WARNINGS) {
    ct_warn("bstrtrace: more is wrong with scopes, and not reported\n");
  } else if (bytes) {
    ct_warn("bstrtrace: the scope '%.*s' (%u) %s\n", (int)bytes, (const char *)name, scope,
            (const char *)what);
  } else {
    ct_warn("bstrtrace: the scope %u %s\n", scope, (const char *)what);
  }
}
