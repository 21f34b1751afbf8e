// Exports the functions: each jumps to its target, so that this finds the stack, the return address
// and the arguments of the program's call.

#include "exports.h"

// No function takes more than six arguments, all of them integers or pointers.
#if defined(__x86_64__)
#define JUMP(name)                                                                                 \
  "  endbr64\n"                                                                                    \
  "  jmp *cf_target_" name "(%rip)\n"
#define FIRST_CALL(name)                                                                           \
  "  endbr64\n"                                                                                    \
  "  lea cf_target_" name "(%rip), %r11\n"                                                         \
  "  jmp cf_call_bound\n"
__asm__(".text\n"
        ".type cf_call_bound, @function\n"
        "cf_call_bound:\n"
        ".cfi_startproc\n"
        "  push %rdi\n .cfi_adjust_cfa_offset 8\n"
        "  push %rsi\n .cfi_adjust_cfa_offset 8\n"
        "  push %rdx\n .cfi_adjust_cfa_offset 8\n"
        "  push %rcx\n .cfi_adjust_cfa_offset 8\n"
        "  push %r8\n .cfi_adjust_cfa_offset 8\n"
        "  push %r9\n .cfi_adjust_cfa_offset 8\n"
        "  sub $8, %rsp\n .cfi_adjust_cfa_offset 8\n"
        "  mov %r11, %rdi\n"
        "  call cf_bind\n"
        "  mov %rax, %r11\n"
        "  add $8, %rsp\n .cfi_adjust_cfa_offset -8\n"
        "  pop %r9\n .cfi_adjust_cfa_offset -8\n"
        "  pop %r8\n .cfi_adjust_cfa_offset -8\n"
        "  pop %rcx\n .cfi_adjust_cfa_offset -8\n"
        "  pop %rdx\n .cfi_adjust_cfa_offset -8\n"
        "  pop %rsi\n .cfi_adjust_cfa_offset -8\n"
        "  pop %rdi\n .cfi_adjust_cfa_offset -8\n"
        "  jmp *%r11\n"
        ".cfi_endproc\n"
        ".size cf_call_bound, . - cf_call_bound\n");
#elif defined(__aarch64__)
// hint #36 is bti j, hint #38 bti jc.
#define JUMP(name)                                                                                 \
  "  hint #38\n"                                                                                   \
  "  adrp x16, cf_target_" name "\n"                                                               \
  "  ldr x16, [x16, :lo12:cf_target_" name "]\n"                                                   \
  "  br x16\n"
#define FIRST_CALL(name)                                                                           \
  "  hint #38\n"                                                                                   \
  "  adrp x16, cf_target_" name "\n"                                                               \
  "  add x16, x16, :lo12:cf_target_" name "\n"                                                     \
  "  b cf_call_bound\n"
__asm__(".text\n"
        ".type cf_call_bound, @function\n"
        "cf_call_bound:\n"
        ".cfi_startproc\n"
        "  stp x29, x30, [sp, #-64]!\n .cfi_adjust_cfa_offset 64\n"
        "  .cfi_offset x29, -64\n .cfi_offset x30, -56\n"
        "  stp x0, x1, [sp, #16]\n"
        "  stp x2, x3, [sp, #32]\n"
        "  stp x4, x5, [sp, #48]\n"
        "  mov x0, x16\n"
        "  bl cf_bind\n"
        "  mov x16, x0\n"
        "  ldp x0, x1, [sp, #16]\n"
        "  ldp x2, x3, [sp, #32]\n"
        "  ldp x4, x5, [sp, #48]\n"
        "  ldp x29, x30, [sp], #64\n .cfi_adjust_cfa_offset -64\n"
        "  .cfi_restore x29\n .cfi_restore x30\n"
        "  br x16\n"
        ".cfi_endproc\n"
        ".size cf_call_bound, . - cf_call_bound\n");
#else
#error "no jump is known for this architecture"
#endif

#define HIDDEN __attribute__((visibility("hidden"), used))

#define EXPORT(name)                                                                               \
  __asm__(".text\n"                                                                                \
          ".globl " #name "\n"                                                                     \
          ".type " #name ", @function\n"                                                           \
          ".balign 16\n" #name ":\n"                                                               \
          ".cfi_startproc\n" JUMP(#name) ".cfi_endproc\n"                                          \
          ".size " #name ", . - " #name "\n"                                                       \
          ".hidden cf_first_call_" #name "\n"                                                      \
          ".globl cf_first_call_" #name "\n"                                                       \
          ".type cf_first_call_" #name ", @function\n"                                             \
          "cf_first_call_" #name ":\n"                                                             \
          ".cfi_startproc\n" FIRST_CALL(#name) ".cfi_endproc\n"                                    \
          ".size cf_first_call_" #name ", . - cf_first_call_" #name "\n");                         \
  extern HIDDEN void cf_first_call_##name(void);                                                   \
  HIDDEN void *cf_target_##name = (void *)cf_first_call_##name;
#define EXPORT_CXX(function, symbol, type) EXPORT(symbol)

CF_WATCHED(EXPORT)
CF_OPENING(EXPORT)
CF_TRACED(EXPORT)
CT_CXX_NAMES(EXPORT_CXX)

#define WATCHED(name) {#name, CF_IS_WATCHED, &cf_target_##name, (void *)cf_first_call_##name},
#define OPENING(name) {#name, CF_IS_OPENING, &cf_target_##name, (void *)cf_first_call_##name},
#define TRACED(name) {#name, CF_IS_TRACED, &cf_target_##name, (void *)cf_first_call_##name},
#define TRACED_CXX(function, symbol, type) TRACED(symbol)

const struct cf_export cf_exports[] = {CF_WATCHED(WATCHED) CF_OPENING(OPENING) CF_TRACED(TRACED)
                                           CT_CXX_NAMES(TRACED_CXX)};
const size_t cf_export_count = sizeof cf_exports / sizeof *cf_exports;
