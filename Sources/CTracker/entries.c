// The entries of replaced functions. With gcc's -fipa-ra callers rely on registers that the
// original leaves alone: an entry keeps all that the ABI lets a function change, but the result's.

#include "replace.h"

#include "CTracker.h"

#if defined(__x86_64__)

#include <cpuid.h>

// The vector registers: 16 of 16 bytes, 16 of 32, or 32 of 64 and the masks.
enum { KEEP_SSE, KEEP_AVX, KEEP_AVX512 };
__attribute__((visibility("hidden"), used)) uint32_t ct_kept_vectors = KEEP_SSE;

bool ct_can_keep_registers(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  // OSXSAVE
  if (!(c & bit_OSXSAVE)) return true;
  uint32_t enabled, upper;
  __asm__("xgetbv" : "=a"(enabled), "=d"(upper) : "c"(0));
  if ((enabled & 6) != 6 || !(c & bit_AVX)) return true;
  ct_kept_vectors = KEEP_AVX;
  if ((enabled & 0xE0) != 0xE0) return true;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX512F)) return true;
  // Masks of 64 bits, and zeroing of short vectors: no processor for servers or desktops is
  // without.
  if (!(b & bit_AVX512BW) || !(b & bit_AVX512DQ) || !(b & bit_AVX512VL)) return false;
  ct_kept_vectors = KEEP_AVX512;
  return true;
}

// The words below the frame of an entry.
enum { NUMBER = -1, RAX = -2, RDX = -4, RSI = -5, RDI = -6, RETURN_ADDRESS = 1 };

// Returns the value of rax behind the call.
__attribute__((visibility("hidden"), used)) uintptr_t
ct_call_from_entry(const uintptr_t *frame) {
  enum ct_function function = (enum ct_function)(frame[NUMBER] / 4);
  uintptr_t arguments[3] = {frame[RDI], frame[RSI], frame[RDX]};
  static const uint8_t operations[CT_FUNCTION_COUNT] = {
      [CT_FUNCTION_SysFreeString] = CT_FREE,
      [CT_FUNCTION_SysAllocString] = CT_ALLOCATE_TEXT,
      [CT_FUNCTION_SysAllocStringLen] = CT_ALLOCATE_CHARACTERS,
      [CT_FUNCTION_SysAllocStringByteLen] = CT_ALLOCATE_BYTES,
      [CT_FUNCTION_SysReAllocString] = CT_REALLOCATE_TEXT,
      [CT_FUNCTION_SysReAllocStringLen] = CT_REALLOCATE_CHARACTERS,
      [CT_FUNCTION_SysAddRefString] = CT_PIN,
      [CT_FUNCTION_SysReleaseString] = CT_UNPIN,
  };
  // A count has 32 bits; what is above them is nobody's.
  if (function == CT_FUNCTION_SysAllocStringLen || function == CT_FUNCTION_SysAllocStringByteLen)
    arguments[1] = (uint32_t)arguments[1];
  if (function == CT_FUNCTION_SysReAllocStringLen) arguments[2] = (uint32_t)arguments[2];
  uintptr_t result = bstrtrace_call_in_layout(
      operations[function], frame[NUMBER] & 1 ? 4 : 2, frame[NUMBER] & 2 ? 4 : 8, arguments,
      frame[RETURN_ADDRESS], (uintptr_t)frame);
  bool is_void = function == CT_FUNCTION_SysFreeString || function == CT_FUNCTION_SysReleaseString;
  return is_void ? frame[RAX] : result;
}


_Static_assert(CT_ENTRIES == 40, "there is an entry for each function and layout");

// An entry makes a frame, as a function does, and notes its number. The direct jump of a thunk does
// not need the mark, an indirect one does.
//
// x87 and MMX registers are not kept: nothing in this library or in libunwind uses them. Flags need
// not be kept by any function.
__asm__(
    ".pushsection .text.ct_entries,\"ax\",@progbits\n"
    ".balign 64\n"
    ".hidden ct_entries\n"
    ".globl ct_entries\n"
    ".type ct_entries, @function\n"
    "ct_entries:\n"
    ".set ct_entry_number, 0\n"
    ".rept 40\n"
    ".balign 16\n"
    ".cfi_startproc\n"
    "endbr64\n"
    "push %rbp\n"
    ".cfi_def_cfa_offset 16\n"
    ".cfi_offset %rbp, -16\n"
    "mov %rsp, %rbp\n"
    ".cfi_def_cfa_register %rbp\n"
    "pushq $ct_entry_number\n"
    "jmp ct_entry_common\n"
    ".cfi_endproc\n"
    ".set ct_entry_number, ct_entry_number + 1\n"
    ".endr\n"
    ".balign 16\n"
    ".size ct_entries, . - ct_entries\n"
    ".type ct_entry_common, @function\n"
    "ct_entry_common:\n"
    ".cfi_startproc\n"
    ".cfi_def_cfa %rbp, 16\n"
    ".cfi_offset %rbp, -16\n"
    "push %rax\n push %rcx\n push %rdx\n push %rsi\n push %rdi\n"
    "push %r8\n push %r9\n push %r10\n push %r11\n"
    // 32 registers of 64 bytes, 8 masks, and whether the upper halves are in use.
    "sub $2240, %rsp\n"
    // A compiler that sees the function may call it with a misaligned stack.
    "and $-64, %rsp\n"
    "mov ct_kept_vectors(%rip), %eax\n"
    "cmp $1, %eax\n"
    "je 1f\n"
    "ja 2f\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "movaps %xmm\\n, 64*\\n(%rsp)\n"
    ".endr\n"
    "mov %rbp, %rdi\n"
    "call ct_call_from_entry\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "movaps 64*\\n(%rsp), %xmm\\n\n"
    ".endr\n"
    "jmp 9f\n"
    // AVX
    "1:\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "vmovaps %ymm\\n, 64*\\n(%rsp)\n"
    ".endr\n"
    // Where all upper halves are zero they are zeroed again at the end: SSE code is slow while they
    // are in use.
    ".irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "vorps %ymm\\n, %ymm0, %ymm0\n"
    ".endr\n"
    "vextractf128 $1, %ymm0, %xmm0\n"
    "xor %eax, %eax\n"
    "vptest %xmm0, %xmm0\n"
    "setnz %al\n"
    "mov %eax, 2176(%rsp)\n"
    "vzeroupper\n"
    "mov %rbp, %rdi\n"
    "call ct_call_from_entry\n"
    "cmpl $0, 2176(%rsp)\n"
    "je 3f\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "vmovaps 64*\\n(%rsp), %ymm\\n\n"
    ".endr\n"
    "jmp 9f\n"
    "3:\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "vmovaps 64*\\n(%rsp), %xmm\\n\n"
    ".endr\n"
    "vzeroupper\n"
    "jmp 9f\n"
    // AVX-512
    "2:\n"
    ".irp n, 0,1,2,3,4,5,6,7\n"
    "kmovq %k\\n, 2048+8*\\n(%rsp)\n"
    ".endr\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,"
    "31\n"
    "vmovaps %zmm\\n, 64*\\n(%rsp)\n"
    ".endr\n"
    ".irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "vporq %zmm\\n, %zmm0, %zmm0\n"
    ".endr\n"
    "vptestmq %zmm0, %zmm0, %k1\n"
    "kmovb %k1, %eax\n"
    "shr $2, %eax\n"
    "mov %eax, 2176(%rsp)\n"
    "vzeroupper\n"
    "mov %rbp, %rdi\n"
    "call ct_call_from_entry\n"
    ".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "vmovaps 64*\\n(%rsp), %zmm\\n\n"
    ".endr\n"
    ".irp n, 0,1,2,3,4,5,6,7\n"
    "kmovq 2048+8*\\n(%rsp), %k\\n\n"
    ".endr\n"
    "cmpl $0, 2176(%rsp)\n"
    "je 3b\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "vmovaps 64*\\n(%rsp), %zmm\\n\n"
    ".endr\n"
    "9:\n"
    "mov -24(%rbp), %rcx\n mov -32(%rbp), %rdx\n mov -40(%rbp), %rsi\n mov -48(%rbp), %rdi\n"
    "mov -56(%rbp), %r8\n mov -64(%rbp), %r9\n mov -72(%rbp), %r10\n mov -80(%rbp), %r11\n"
    "leave\n"
    ".cfi_def_cfa %rsp, 8\n"
    "ret\n"
    ".cfi_endproc\n"
    ".size ct_entry_common, . - ct_entry_common\n"
    ".popsection\n");

#endif
