/// \file bstrtrace.h
/// What bstrtrace adds to the functions of bstr.h. Everything here may stay in a program that runs
/// without bstrtrace: it then does nothing.

#ifndef BSTRTRACE_H
#define BSTRTRACE_H

#include <stdio.h>
#include <stdlib.h>

#include "bstr.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A span of a program, a test or a request, whose BSTRs must all be gone when it ends. To be passed by
/// value, to other threads as well. All zero where nothing is recorded.
typedef struct {
  uint32_t number;
} bstrtrace_scope;

#ifndef BSTRTRACE_DISABLED

/// What can be declared of a BSTR; the names of the functions below say what each means.
enum {
  BSTRTRACE_LENT = 1,
  BSTRTRACE_GIVEN_BACK = 2,
  BSTRTRACE_RECEIVED = 3,
  BSTRTRACE_HANDED_OVER = 4,
  BSTRTRACE_ADOPTED = 5,
  BSTRTRACE_NOTED = 6,
  BSTRTRACE_IMMORTAL = 16,
  BSTRTRACE_OVERWRITTEN = 17,
  BSTRTRACE_LEFT_BY_FAILURE = 18,
  BSTRTRACE_REPLACED = 19,
  BSTRTRACE_NOT_REPLACED = 20,
  BSTRTRACE_IGNORED = 21,
  BSTRTRACE_LOST = 22
};

/// What a thread does with a scope, see bstrtrace_scope_join and bstrtrace_scope_leave.
enum { BSTRTRACE_JOIN = 1, BSTRTRACE_LEAVE = 2 };

/// The id of the scope in which leaks are ignored.
#define BSTRTRACE_IGNORED_SCOPE 0xFFFFFFu

/// What is left of a scope.
typedef struct {
  /// BSTRs that were allocated in it and are live, and their bytes.
  uint64_t bstrs, bytes;
  /// Wrong frees and other faults that happened in it.
  uint64_t faults;
} bstrtrace_scope_counts;

/// Implemented by bstrtrace; absent from other programs. Call the functions below instead.
__attribute__((weak)) void bstrtrace_declare(BSTR BSTR_NULLABLE bstr, uint32_t what,
                                             const char *BSTR_NULLABLE note);
/// Whether `bstr` is a live BSTR; false for NULL. Implemented by bstrtrace as above.
__attribute__((weak)) int bstrtrace_is_live(BSTR BSTR_NULLABLE bstr);

/// A new scope that the calling thread is in; 0 when nothing is recorded. Implemented as above.
__attribute__((weak)) uint32_t bstrtrace_begin_scope(const char *BSTR_NULLABLE name);
/// Puts the calling thread into a scope or takes it out. Implemented as above.
__attribute__((weak)) void bstrtrace_change_scope(uint32_t scope, uint32_t what);
/// Ends a scope and counts what is left of it; 0 is the whole process. Implemented as above.
__attribute__((weak)) bstrtrace_scope_counts bstrtrace_end_scope(uint32_t scope);
/// The report on a scope that has ended, from malloc, or NULL when it has no findings; 0 is the whole
/// process. Implemented by the library that programs are linked with.
__attribute__((weak)) char *BSTR_NULLABLE bstrtrace_report_scope(uint32_t scope);

// Always inlined, so that what is declared is declared by the function that calls these.
#define BSTRTRACE_INLINE static inline __attribute__((always_inline))

BSTRTRACE_INLINE void bstrtrace_say(BSTR BSTR_NULLABLE bstr, uint32_t what,
                                    const char *BSTR_NULLABLE note) {
  if (bstr && bstrtrace_declare) bstrtrace_declare(bstr, what, note);
  // Not the function's last call: a jump there would leave no frame of the function that declares.
  __asm__ volatile("");
}

BSTRTRACE_INLINE int bstrtrace_lives(BSTR BSTR_NULLABLE bstr) {
  return bstr && bstrtrace_is_live && bstrtrace_is_live(bstr);
}

/// Declares that `bstr` is never freed: it is no leak, and to free it is a fault. For strings
/// that live as long as the program, static ones included.
BSTRTRACE_INLINE void bstrtrace_immortal(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_IMMORTAL, NULL);
}

/// Lends `bstr` to a function as an [in] argument: until it is given back, nobody may free it.
BSTRTRACE_INLINE void bstrtrace_lend(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_LENT, NULL);
}

/// Ends a loan: the function has returned. To be called by the lender, also for a string that was
/// freed meanwhile.
BSTRTRACE_INLINE void bstrtrace_give_back(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_GIVEN_BACK, NULL);
}

/// Gives `bstr` away: the function that it is given to adopts and frees it, the giver may not.
BSTRTRACE_INLINE void bstrtrace_hand_over(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_HANDED_OVER, NULL);
}

/// Takes `bstr` over (Attach): the calling function, or the object it belongs to, frees it.
BSTRTRACE_INLINE void bstrtrace_adopt(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_ADOPTED, NULL);
}

/// Lets go of `bstr` (Detach): the same as handing it over.
BSTRTRACE_INLINE void bstrtrace_disown(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_HANDED_OVER, NULL);
}

/// Leaves a hint, with the stack of this moment, in the history of `bstr`.
BSTRTRACE_INLINE void bstrtrace_note(BSTR BSTR_NULLABLE bstr, const char *BSTR_NULLABLE note) {
  bstrtrace_say(bstr, BSTRTRACE_NOTED, note);
}

/// To be called before `variable` is passed as an [out] argument: it must own no string.
BSTRTRACE_INLINE void bstrtrace_before_out(BSTR BSTR_NULLABLE *BSTR_NULLABLE variable) {
  if (variable && bstrtrace_lives(*variable))
    bstrtrace_say(*variable, BSTRTRACE_OVERWRITTEN, NULL);
}

/// To be called after `variable` was passed as an [out] argument: the caller owns what is in it, and a
/// function that failed has left nothing there. Without an HRESULT, pass S_OK.
BSTRTRACE_INLINE void bstrtrace_after_out(BSTR BSTR_NULLABLE *BSTR_NULLABLE variable,
                                          HRESULT result) {
  if (!variable || !*variable) return;
  if (result >= 0) bstrtrace_say(*variable, BSTRTRACE_RECEIVED, NULL);
  else if (bstrtrace_lives(*variable)) bstrtrace_say(*variable, BSTRTRACE_LEFT_BY_FAILURE, NULL);
}

/// To be called after `variable`, which held `old`, was passed as an [in,out] argument: a string that
/// was replaced has been freed, and one that was freed has been replaced.
BSTRTRACE_INLINE void bstrtrace_after_in_out(BSTR BSTR_NULLABLE *BSTR_NULLABLE variable,
                                             BSTR BSTR_NULLABLE old) {
  if (!variable) return;
  if (*variable != old && bstrtrace_lives(old)) bstrtrace_say(old, BSTRTRACE_REPLACED, NULL);
  if (*variable == old && old && !bstrtrace_lives(old))
    bstrtrace_say(old, BSTRTRACE_NOT_REPLACED, NULL);
  if (*variable != old) bstrtrace_say(*variable, BSTRTRACE_RECEIVED, NULL);
}

/// Declares that `bstr` is no leak, wherever it was allocated: it has left its scope on purpose, into a
/// cache for instance. Wrong frees of it are still found.
BSTRTRACE_INLINE void bstrtrace_ignore(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_IGNORED, NULL);
}

/// What the calling thread allocates from now on is no leak. May be nested.
BSTRTRACE_INLINE void bstrtrace_ignore_begin(void) {
  if (bstrtrace_change_scope) bstrtrace_change_scope(BSTRTRACE_IGNORED_SCOPE, BSTRTRACE_JOIN);
}

/// Ends what the latest bstrtrace_ignore_begin of this thread began.
BSTRTRACE_INLINE void bstrtrace_ignore_end(void) {
  if (bstrtrace_change_scope) bstrtrace_change_scope(BSTRTRACE_IGNORED_SCOPE, BSTRTRACE_LEAVE);
}

/// Begins a scope, which the calling thread is in until it ends it. What a thread allocates counts in the
/// scope that it entered last; scopes may be nested.
BSTRTRACE_INLINE bstrtrace_scope bstrtrace_scope_begin(const char *BSTR_NONNULL name) {
  bstrtrace_scope scope = {bstrtrace_begin_scope ? bstrtrace_begin_scope(name) : 0};
  return scope;
}

/// Puts the calling thread into a scope that another one began, until it leaves it or the scope ends.
BSTRTRACE_INLINE void bstrtrace_scope_join(bstrtrace_scope scope) {
  if (scope.number) bstrtrace_change_scope(scope.number, BSTRTRACE_JOIN);
}

/// Takes the calling thread out of a scope that it had joined.
BSTRTRACE_INLINE void bstrtrace_scope_leave(bstrtrace_scope scope) {
  if (scope.number) bstrtrace_change_scope(scope.number, BSTRTRACE_LEAVE);
}

BSTRTRACE_INLINE size_t bstrtrace_end_and_report(uint32_t scope, char *BSTR_NULLABLE *BSTR_NULLABLE report) {
  if (report) *report = NULL;
  if (!bstrtrace_end_scope) return 0;
  bstrtrace_scope_counts left = bstrtrace_end_scope(scope);
  size_t found = (size_t)(left.bstrs + left.faults);
  if (found && report && bstrtrace_report_scope) *report = bstrtrace_report_scope(scope);
  return found;
}

/// Ends a scope, on the thread that began it: strings that were allocated in it and are live are leaks.
///
/// Returns how many BSTRs and faults there are. `report`, unless NULL, is set to the report on them, to be
/// freed with `free`; to NULL where there are none, and in programs that are not linked with bstrtrace.
BSTRTRACE_INLINE size_t bstrtrace_scope_end(bstrtrace_scope scope,
                                            char *BSTR_NULLABLE *BSTR_NULLABLE report) {
  if (report) *report = NULL;
  return scope.number ? bstrtrace_end_and_report(scope.number, report) : 0;
}

/// Counts the BSTRs that are live in the whole process, and the faults so far, and writes the report on them
/// to standard error.
BSTRTRACE_INLINE size_t bstrtrace_check_no_leaks(void) {
  char *report = NULL;
  size_t found = bstrtrace_end_and_report(0, &report);
  if (found && report) fputs(report, stderr);
  else if (found) fprintf(stderr, "bstrtrace: BSTRs left behind or misused: %zu\n", found);
  free(report);
  return found;
}

/// As bstrtrace_check_no_leaks, and aborts when there is anything.
BSTRTRACE_INLINE void bstrtrace_assert_no_leaks(void) {
  if (bstrtrace_check_no_leaks()) abort();
}

#else

#define bstrtrace_say(bstr, what, note) ((void)(bstr))
#define bstrtrace_lives(bstr) ((void)(bstr), 0)
#define bstrtrace_ignore(bstr) ((void)(bstr))
#define bstrtrace_ignore_begin() ((void)0)
#define bstrtrace_ignore_end() ((void)0)
#define bstrtrace_scope_begin(name) ((void)(name), bstrtrace_no_scope())
#define bstrtrace_scope_join(scope) ((void)(scope))
#define bstrtrace_scope_leave(scope) ((void)(scope))
#define bstrtrace_scope_end(scope, report) ((void)(scope), bstrtrace_no_report(report))
#define bstrtrace_check_no_leaks() ((size_t)0)
#define bstrtrace_assert_no_leaks() ((void)0)
static inline bstrtrace_scope bstrtrace_no_scope(void) {
  bstrtrace_scope scope = {0};
  return scope;
}
static inline size_t bstrtrace_no_report(char *BSTR_NULLABLE *BSTR_NULLABLE report) {
  if (report) *report = NULL;
  return 0;
}
#define bstrtrace_immortal(bstr) ((void)(bstr))
#define bstrtrace_lend(bstr) ((void)(bstr))
#define bstrtrace_give_back(bstr) ((void)(bstr))
#define bstrtrace_hand_over(bstr) ((void)(bstr))
#define bstrtrace_adopt(bstr) ((void)(bstr))
#define bstrtrace_disown(bstr) ((void)(bstr))
#define bstrtrace_note(bstr, note) ((void)(bstr), (void)(note))
#define bstrtrace_before_out(variable) ((void)(variable))
#define bstrtrace_after_out(variable, result) ((void)(variable), (void)(result))
#define bstrtrace_after_in_out(variable, old) ((void)(variable), (void)(old))

#endif

#ifdef __cplusplus
}
#endif

#endif
