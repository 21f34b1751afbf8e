// Exports the BSTR functions under the names that they have in C++ programs. No header declares
// these names: they are for programs that exist.

#include "CTracker.h"
#include "CxxNames.h"

// Their types are of no matter to a jump.
#define DECLARE(function) extern void function(void);
DECLARE(SysFreeString) DECLARE(SysAllocString) DECLARE(SysAllocStringLen)
DECLARE(SysAllocStringByteLen) DECLARE(SysReAllocString) DECLARE(SysReAllocStringLen)
DECLARE(SysStringLen) DECLARE(SysStringByteLen) DECLARE(SysAddRefString) DECLARE(SysReleaseString)

#define HIDDEN __attribute__((visibility("hidden"), used))

// Asks where a call is to go, with its arguments kept, and jumps there, so that the function finds
// the stack, the return address and the arguments of the program's call. None has more than three
// arguments, all of them integers or pointers.
#if defined(__x86_64__)
#define JUMP(alias)                                                                                \
  "endbr64\n"                                                                                      \
  "push %rdi\n .cfi_adjust_cfa_offset 8\n"                                                         \
  "push %rsi\n .cfi_adjust_cfa_offset 8\n"                                                         \
  "push %rdx\n .cfi_adjust_cfa_offset 8\n"                                                         \
  "lea " alias "(%rip), %rdi\n"                                                                    \
  "mov 24(%rsp), %rsi\n"                                                                           \
  "call ct_alias_target\n"                                                                         \
  "pop %rdx\n .cfi_adjust_cfa_offset -8\n"                                                         \
  "pop %rsi\n .cfi_adjust_cfa_offset -8\n"                                                         \
  "pop %rdi\n .cfi_adjust_cfa_offset -8\n"                                                         \
  "jmp *%rax\n"
#elif defined(__aarch64__)
// hint #34 is bti c.
#define JUMP(alias)                                                                                \
  "hint #34\n"                                                                                     \
  "stp x0, x1, [sp, #-32]!\n .cfi_adjust_cfa_offset 32\n"                                          \
  "stp x2, x30, [sp, #16]\n .cfi_offset x30, -8\n"                                                 \
  "adrp x0, " alias "\n add x0, x0, :lo12:" alias "\n"                                              \
  "mov x1, x30\n"                                                                                  \
  "bl ct_alias_target\n"                                                                           \
  "mov x16, x0\n"                                                                                  \
  "ldp x2, x30, [sp, #16]\n .cfi_restore x30\n"                                                    \
  "ldp x0, x1, [sp], #32\n .cfi_adjust_cfa_offset -32\n"                                           \
  "br x16\n"
#else
#error "no jump is known for this architecture"
#endif

// Weak: a program that defines such a function itself, and is linked with this library, keeps its
// own.
#define ALIAS(function, symbol, type)                                                              \
  HIDDEN const struct ct_alias ct_alias##symbol = {(void *)function, #symbol};                     \
  __asm__(".pushsection .text." #symbol ",\"ax\",@progbits\n"                                      \
          ".weak " #symbol "\n"                                                                    \
          ".type " #symbol ", @function\n"                                                         \
          ".balign 16\n" #symbol ":\n"                                                             \
          ".cfi_startproc\n" JUMP("ct_alias" #symbol) ".cfi_endproc\n"                             \
          ".size " #symbol ", . - " #symbol "\n"                                                    \
          ".popsection");

CT_CXX_NAMES(ALIAS)
