// The functions that the library exports, and what becomes of their calls.

#ifndef CF_EXPORTS_H
#define CF_EXPORTS_H

#include <stddef.h>

#include "CxxNames.h"

#pragma GCC visibility push(hidden)

/// Functions of libc that the tracker watches. Before it is loaded they are libc's.
#define CF_WATCHED(NAME)                                                                           \
  NAME(free) NAME(realloc) NAME(reallocarray) NAME(dlclose) NAME(exit) NAME(_exit) NAME(_Exit)     \
  NAME(__cxa_thread_atexit_impl)

/// Functions that open modules: libc's, once the tracker is loaded or cannot be.
#define CF_OPENING(NAME) NAME(dlopen) NAME(dlmopen)

/// The functions of bstr.h and bstrtrace.h, and the C++ names of the former: the tracker's.
#define CF_TRACED(NAME)                                                                            \
  NAME(SysFreeString) NAME(SysAllocString) NAME(SysAllocStringLen) NAME(SysAllocStringByteLen)     \
  NAME(SysReAllocString) NAME(SysReAllocStringLen) NAME(SysStringLen) NAME(SysStringByteLen)       \
  NAME(SysAddRefString) NAME(SysReleaseString) NAME(VarBstrCat) NAME(VarBstrCmp)                   \
  NAME(SetOaNoCache) NAME(bstrtrace_set_profile) NAME(bstrtrace_olechar_bytes)                     \
  NAME(bstrtrace_declare) NAME(bstrtrace_is_live) NAME(bstrtrace_begin_scope)                      \
  NAME(bstrtrace_change_scope) NAME(bstrtrace_end_scope)

enum cf_kind { CF_IS_WATCHED, CF_IS_OPENING, CF_IS_TRACED };

/// An exported function.
struct cf_export {
  const char *name;
  enum cf_kind kind;
  /// Where its calls go, and where they go before that is known.
  void **target;
  void *first_call;
};

extern const struct cf_export cf_exports[];
extern const size_t cf_export_count;

/// Returns where a call of a function goes whose target is not known yet. Loads the tracker for
/// those that are not libc's.
void *cf_bind(void **target);

#pragma GCC visibility pop

#endif
