// Exports the BSTR functions under the names that they have in C++ programs. No header declares
// these names: they are for programs that exist.

#include "CxxNames.h"

// Each is a jump, so that the function finds the stack, the return address and the arguments of the
// program's call. Weak: a program that defines such a function itself, and is linked with this
// library, keeps its own.
#if defined(__x86_64__)
#define JUMP(function) "endbr64\n jmp " #function "@PLT\n"
#elif defined(__aarch64__)
#define JUMP(function) "hint #34\n b " #function "\n"  // bti c
#else
#error "no jump is known for this architecture"
#endif

#define ALIAS(function, symbol, bytes)                                                             \
  __asm__(".pushsection .text." #symbol ",\"ax\",@progbits\n"                                      \
          ".weak " #symbol "\n"                                                                    \
          ".type " #symbol ", @function\n"                                                         \
          ".balign 16\n" #symbol ":\n"                                                             \
          ".cfi_startproc\n" JUMP(function) ".cfi_endproc\n"                                       \
          ".size " #symbol ", . - " #symbol "\n"                                                    \
          ".popsection");

CT_CXX_NAMES(ALIAS)
