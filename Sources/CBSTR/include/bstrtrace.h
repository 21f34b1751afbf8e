/// \file bstrtrace.h
/// What bstrtrace adds to the functions of bstr.h. Everything here may stay in a program that runs
/// without bstrtrace: it then does nothing.

#ifndef BSTRTRACE_H
#define BSTRTRACE_H

#include "bstr.h"

#ifdef __cplusplus
extern "C" {
#endif

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
  BSTRTRACE_NOT_REPLACED = 20
};

/// Implemented by bstrtrace; absent from other programs. Call the functions below instead.
__attribute__((weak)) void bstrtrace_declare(BSTR BSTR_NULLABLE bstr, uint32_t what,
                                             const char *BSTR_NULLABLE note);
/// Whether `bstr` is a live BSTR; false for NULL. Implemented by bstrtrace as above.
__attribute__((weak)) int bstrtrace_is_live(BSTR BSTR_NULLABLE bstr);

// Always inlined, so that what is declared is declared by the function that calls these.
#define BSTRTRACE_INLINE static inline __attribute__((always_inline))

BSTRTRACE_INLINE void bstrtrace_say(BSTR BSTR_NULLABLE bstr, uint32_t what,
                                    const char *BSTR_NULLABLE note) {
  if (bstr && bstrtrace_declare) bstrtrace_declare(bstr, what, note);
}

BSTRTRACE_INLINE int bstrtrace_lives(BSTR BSTR_NULLABLE bstr) {
  return bstr && bstrtrace_is_live && bstrtrace_is_live(bstr);
}

/// Declares that `bstr` is never released: it is no leak, and to release it is a fault. For strings
/// that live as long as the program, static ones included.
BSTRTRACE_INLINE void bstrtrace_immortal(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_IMMORTAL, NULL);
}

/// Lends `bstr` to a function as an [in] argument: until it is given back, nobody may release it.
BSTRTRACE_INLINE void bstrtrace_lend(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_LENT, NULL);
}

/// Ends a loan: the function has returned. To be called by the lender, also for a string that was
/// released meanwhile.
BSTRTRACE_INLINE void bstrtrace_give_back(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_GIVEN_BACK, NULL);
}

/// Gives `bstr` away: whoever is given it adopts and releases it; the giver may not release it.
BSTRTRACE_INLINE void bstrtrace_hand_over(BSTR BSTR_NULLABLE bstr) {
  bstrtrace_say(bstr, BSTRTRACE_HANDED_OVER, NULL);
}

/// Takes `bstr` over (Attach): the calling function, or the object it belongs to, releases it.
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
/// was replaced has been released, and one that was released has been replaced.
BSTRTRACE_INLINE void bstrtrace_after_in_out(BSTR BSTR_NULLABLE *BSTR_NULLABLE variable,
                                             BSTR BSTR_NULLABLE old) {
  if (!variable) return;
  if (*variable != old && bstrtrace_lives(old)) bstrtrace_say(old, BSTRTRACE_REPLACED, NULL);
  if (*variable == old && old && !bstrtrace_lives(old))
    bstrtrace_say(old, BSTRTRACE_NOT_REPLACED, NULL);
  if (*variable != old) bstrtrace_say(*variable, BSTRTRACE_RECEIVED, NULL);
}

#else

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
