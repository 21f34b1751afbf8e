// Calls functions that it has inside it, and looks which registers they leave as they were: general ones,
// vectors of the processor's width, and masks.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bstr.h"

struct registers {
  uint64_t general[16];
  uint8_t vectors[32][64];
  uint64_t masks[8];
};

#define VECTORS_16(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) \
  DO(14) DO(15)
#define VECTORS_32(DO) VECTORS_16(DO) DO(16) DO(17) DO(18) DO(19) DO(20) DO(21) DO(22) DO(23) DO(24) DO(25) \
  DO(26) DO(27) DO(28) DO(29) DO(30) DO(31)
#define GENERAL(DO) DO(0, rax) DO(1, rcx) DO(2, rdx) DO(3, rsi) DO(4, rdi) DO(5, r8) DO(6, r9) DO(7, r10) DO(8, r11)

#define LOAD(n, name) "mov 8*" #n "(%%rbx), %%" #name "\n"
#define STORE(n, name) "mov %%" #name ", 8*" #n "(%%rbx)\n"
#define SSE_LOAD(n) "movups 128+64*" #n "(%%rbx), %%xmm" #n "\n"
#define SSE_STORE(n) "movups %%xmm" #n ", 128+64*" #n "(%%rbx)\n"
#define AVX_LOAD(n) "vmovups 128+64*" #n "(%%rbx), %%ymm" #n "\n"
#define AVX_STORE(n) "vmovups %%ymm" #n ", 128+64*" #n "(%%rbx)\n"
#define AVX512_LOAD(n) "vmovups 128+64*" #n "(%%rbx), %%zmm" #n "\n"
#define AVX512_STORE(n) "vmovups %%zmm" #n ", 128+64*" #n "(%%rbx)\n"
#define MASKS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define MASK_LOAD(n) "kmovq 2176+8*" #n "(%%rbx), %%k" #n "\n"
#define MASK_STORE(n) "kmovq %%k" #n ", 2176+8*" #n "(%%rbx)\n"

// The stack is misaligned by `push`, as compilers may leave it for functions that they see.
#define CALL(NAME, LOADS, STORES, ...)                                                             \
  __attribute__((noinline)) static void NAME(void *function, struct registers *registers) {        \
    register void *base __asm__("rbx") = registers;                                                \
    register void *callee __asm__("r12") = function;                                               \
    __asm__ volatile("mov %%rsp, %%r13\n and $-16, %%rsp\n sub $8, %%rsp\n" LOADS GENERAL(LOAD)    \
                     "call *%%r12\n" GENERAL(STORE) STORES "mov %%r13, %%rsp\n"                    \
                     : "+r"(base), "+r"(callee)                                                    \
                     :                                                                             \
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r13", "memory", __VA_ARGS__); \
  }
#define NAMES "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
  "xmm12", "xmm13", "xmm14", "xmm15"
CALL(call_sse, VECTORS_16(SSE_LOAD), VECTORS_16(SSE_STORE), NAMES)
__attribute__((target("avx"))) CALL(call_avx, VECTORS_16(AVX_LOAD), VECTORS_16(AVX_STORE), NAMES)
__attribute__((target("avx512f,avx512bw")))
CALL(call_avx512, VECTORS_32(AVX512_LOAD) MASKS(MASK_LOAD), VECTORS_32(AVX512_STORE) MASKS(MASK_STORE), NAMES)

static int failures;

// Returns rax.
static uint64_t try(const char *name, void *function, uint64_t a, uint64_t b, uint64_t c, int isVoid, int upper) {
  static struct registers before, after;
  uint8_t *bytes = (uint8_t *)&before;
  for (size_t i = 0; i < sizeof before; i++) bytes[i] = (uint8_t)(i * 7 + 1);
  // Upper parts of zeros are kept in another way.
  if (!upper) for (int i = 0; i < 16; i++) memset(before.vectors[i] + 16, 0, 48);
  before.general[4] = a, before.general[3] = b, before.general[2] = c;
  after = before;
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512f")) call_avx512(function, &after);
  else if (__builtin_cpu_supports("avx")) call_avx(function, &after);
  else call_sse(function, &after);
  uint64_t result = after.general[0];
  if (!isVoid) after.general[0] = before.general[0];
  if (memcmp(&before, &after, sizeof before) == 0) return result;
  for (size_t i = 0; i < sizeof before; i++)
    if (((uint8_t *)&after)[i] != bytes[i]) {
      printf("%s changes byte %zu\n", name, i);
      break;
    }
  failures++;
  return result;
}

int main(void) {
  for (int i = 0; i < 4; i++) {
    uint64_t text = (uint64_t)u"some text";
    // The upper half of a count's register is nobody's.
    uint64_t s = try("SysAllocStringLen", SysAllocStringLen, text, 4 | 7ull << 32, 0, 0, i & 1);
    if (SysStringLen((BSTR)s) != 4) printf("wrong length\n");
    BSTR variable = (BSTR)s;
    uint64_t done = try("SysReAllocString", SysReAllocString, (uint64_t)&variable, text, 0, 0, i & 1);
    if ((int)done != 1 || SysStringLen(variable) != 9) printf("wrong length\n");
    try("SysFreeString", SysFreeString, (uint64_t)variable, 0, 0, 1, i & 1);
  }
  puts(failures ? "changed" : "kept");
  return failures != 0;
}
