// Reads the environment of a process that may have more rights than its caller. In C, since Swift's
// Glibc module has neither function.

#ifndef CTRACKER_ENVIRONMENT_H
#define CTRACKER_ENVIRONMENT_H

#include <stdbool.h>
#include <stdlib.h>
#include <sys/auxv.h>

/// Returns whether the kernel has started the process with more rights than its caller's: it is
/// set-user-id or set-group-id, or has file capabilities.
static inline bool ct_is_privileged(void) { return getauxval(AT_SECURE) != 0; }

/// Returns the value of a variable; NULL where it is not set, and for every variable in a
/// privileged process.
static inline char *ct_environment(const char *name) {
  return ct_is_privileged() ? NULL : getenv(name);
}

#endif
