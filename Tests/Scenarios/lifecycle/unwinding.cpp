// Stacks of every shape, each taken often enough to be recognised, from places and with stack contents that
// differ in ways which a careless comparison would miss. Run with --verify-stacks: each recognised stack is
// then walked in full. The arguments: which of the programs at the end, how often, and two plug-ins.
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <pthread.h>
#include <stdexcept>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "bstr.h"

#define KEEP __attribute__((noinline))
static volatile int sink;

KEEP static void pair() {
  BSTR text = SysAllocString(u"text");
  sink += (int)SysStringLen(text);
  SysFreeString(text);
}

KEEP static void recurse(int depth) {
  if (depth > 0) recurse(depth - 1);
  else pair();
  sink++;
}

KEEP static void with_alloca(int bytes) {
  volatile char *space = (volatile char *)alloca((size_t)bytes);
  space[0] = 1;
  pair();
  sink += space[0];
}

KEEP static void with_array(int count) {
  volatile int array[count];
  array[count - 1] = count;
  pair();
  sink += array[count - 1];
}

// Both reach pair() at the same depth of the stack. In one the frame of unwritten() lies further in, and where
// it lay in the other everything is still as that has left it.
KEEP static void unwritten(size_t bytes) {
  void *space = alloca(bytes);
  __asm__ volatile("" : : "r"(space));
  pair();
  sink++;
}
KEEP static void nearer(size_t mine, size_t its) {
  void *space = alloca(mine);
  __asm__ volatile("" : : "r"(space));
  unwritten(its);
  sink++;
}
KEEP static void farther(size_t mine, size_t its) {
  void *space = alloca(mine);
  __asm__ volatile("" : : "r"(space));
  unwritten(its);
  sink--;
}
KEEP static void stale() {
  void (*const functions[])(size_t, size_t) = {nearer, farther};
  for (size_t i = 0; i < 4; i++) functions[i & 1](i & 1 ? 256 : 0, i & 1 ? 0 : 256);
  sink++;
}

// One caller of the same frame size calls two functions at the same depth, which call a third.
KEEP static void left() { pair(); sink++; }
KEEP static void right() { pair(); sink--; }
KEEP static void either(int which) {
  void (*const functions[])() = {left, right};
  functions[which & 1]();
  sink++;
}

// The same return address and frame, below callers that differ further out.
KEEP static void one_way() { recurse(3); sink++; }
KEEP static void other_way() { recurse(3); sink--; }
KEEP static void far(int which) {
  void (*const functions[])() = {one_way, other_way};
  functions[which & 1]();
  sink++;
}

// Ends in a jump at -O2.
KEEP static void tail(int which) { return which & 1 ? left() : right(); }

static jmp_buf back;
KEEP static void jumps() {
  pair();
  longjmp(back, 1);
}

KEEP static void throws(int depth) {
  if (depth > 0) { throws(depth - 1); sink++; return; }
  pair();
  throw std::runtime_error("x");
}

// More registers than there are: the frame pointer holds a number that changes.
KEEP static int busy(int seed) {
  int a = seed, b = seed * 3, c = seed ^ 5, d = seed + 7, e = seed * 11, f = seed - 13, g = seed | 17;
  for (int i = 0; i < 3; i++) {
    pair();
    a += b ^ i; b += c; c ^= d; d += e; e ^= f; f += g; g += a;
  }
  return a + b + c + d + e + f + g;
}

// A frame that is realigned, so that its caller's is found in an odd way.
KEEP static void realigned(int offset) {
  volatile char space[64] __attribute__((aligned(64)));
  space[offset & 63] = 1;
  pair();
  sink += space[0];
}

KEEP static void misaligned(int bytes) {
  volatile char *space = (volatile char *)alloca((size_t)bytes);
  space[0] = 0;
  realigned(bytes);
}

#if defined(__x86_64__)
// The caller's frame by an expression, and by a register that is neither of the two usual ones.
extern "C" void odd_expression(void (*)());
extern "C" void odd_register(void (*)());
__asm__(
    ".text\n"
    ".type odd_expression, @function\n"
    "odd_expression:\n"
    ".cfi_startproc\n"
    "subq $24, %rsp\n"
    ".cfi_escape 0x0f, 0x03, 0x77, 0x20, 0x96\n"  // DW_CFA_def_cfa_expression: breg7 32; nop
    "call *%rdi\n"
    "addq $24, %rsp\n"
    ".cfi_def_cfa 7, 8\n"
    "ret\n"
    ".cfi_endproc\n"
    ".size odd_expression, .-odd_expression\n"
    ".type odd_register, @function\n"
    "odd_register:\n"
    ".cfi_startproc\n"
    "pushq %rbx\n"
    ".cfi_def_cfa_offset 16\n"
    ".cfi_offset 3, -16\n"
    "movq %rsp, %rbx\n"
    ".cfi_def_cfa_register 3\n"
    "subq $16, %rsp\n"
    "call *%rdi\n"
    "movq %rbx, %rsp\n"
    ".cfi_def_cfa 7, 16\n"
    "popq %rbx\n"
    ".cfi_def_cfa_offset 8\n"
    "ret\n"
    ".cfi_endproc\n"
    ".size odd_register, .-odd_register\n");
#endif

static void handler(int) { pair(); }

static ucontext_t main_context, other_context;
static char *other_stack;
static int other_depth;
static void other() {
  recurse(other_depth);
  swapcontext(&other_context, &main_context);
}

KEEP static void on_another_stack(int depth) {
  getcontext(&other_context);
  other_context.uc_stack.ss_sp = other_stack;
  other_context.uc_stack.ss_size = 1 << 16;
  other_context.uc_link = &main_context;
  other_depth = depth;
  makecontext(&other_context, other, 0);
  swapcontext(&main_context, &other_context);
}

#if defined(__x86_64__)
// Calls a function on another stack, at which stacks end.
extern "C" void call_on(char *stack_end, void (*)());
__asm__(
    ".text\n"
    ".type call_on, @function\n"
    "call_on:\n"
    ".cfi_startproc\n"
    ".cfi_undefined 16\n"
    "pushq %rbx\n"
    "movq %rsp, %rbx\n"
    "movq %rdi, %rsp\n"
    "call *%rsi\n"
    "movq %rbx, %rsp\n"
    "popq %rbx\n"
    "ret\n"
    ".cfi_endproc\n"
    ".size call_on, .-call_on\n");

// The same frames at the same place, once in a stack of many pages and once in a shorter one, above which nothing
// can be read. What the frames came from in the longer one lies there.
static uintptr_t first_frame;
KEEP static void further_in(int frames) {
  if (frames > 0) { further_in(frames - 1); sink++; return; }
  // As far as the frames begin in both.
  void *space = alloca((uintptr_t)__builtin_frame_address(0) - first_frame);
  __asm__ volatile("" : : "r"(space));
  for (int i = 0; i < 16; i++) recurse(6 + i % 4);
}
static void on_these_pages() { further_in(5); sink++; }
KEEP static void shorter() {
  enum { ALL = 20, SHORT = 18 };
  char *stack = (char *)mmap(nullptr, ALL * 4096, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) exit(2);
  first_frame = (uintptr_t)stack + (SHORT - 1) * 4096 + 2048;
  for (int i = 0; i < 3; i++) call_on(stack + ALL * 4096, on_these_pages);
  mprotect(stack + SHORT * 4096, (ALL - SHORT) * 4096, PROT_NONE);
  for (int i = 0; i < 3; i++) call_on(stack + SHORT * 4096, on_these_pages);
  munmap(stack, ALL * 4096);
}

// A stack of as many frames as are kept, which ends there, and one that is the same up to there and goes on: all
// that differs is one return address, which is 0 where the stack ends.
extern "C" void start_on(char *stack_end, void (*)(), uintptr_t return_address);
extern "C" char landing[];
__asm__(
    ".text\n"
    ".type start_on, @function\n"
    "start_on:\n"
    ".cfi_startproc\n"
    ".cfi_undefined 16\n"
    "movq %rdi, %rsp\n"
    "pushq %rdx\n"
    "jmp *%rsi\n"
    "nop\n"
    ".globl landing\n"
    "landing:\n"
    "nop\n"
    ".cfi_endproc\n"
    ".size start_on, .-start_on\n");
static jmp_buf cut_back;
static void cut() {
  for (int i = 0; i < 4; i++) recurse(5);
  longjmp(cut_back, 1);
}
KEEP static void cut_at(uintptr_t return_address) {
  static char stack[1 << 17] __attribute__((aligned(64)));
  if (setjmp(cut_back) == 0) start_on(stack + sizeof stack, cut, return_address);
}
static void cuts() {
  for (int i = 0; i < 3; i++) {
    cut_at((uintptr_t)landing);
    cut_at(0);
  }
}
#else
static void shorter() {}
static void cuts() {}
#endif

KEEP static void plugins(const char *first, const char *second, int round) {
  void *library = dlopen(round & 1 ? second : first, RTLD_NOW);
  if (!library) { fprintf(stderr, "%s\n", dlerror()); exit(2); }
  auto run = (void (*)(void (*)()))dlsym(library, "run");
  for (int i = 0; i < 5; i++) run(pair);
  dlclose(library);
}

static void all(int rounds, const char *first, const char *second) {
  for (int round = 0; round < rounds; round++) {
    recurse(round % 40);
    with_alloca(16 + round % 7 * 48);
    with_array(1 + round % 9);
    either(round / 3);
    far(round / 2);
    stale();
    tail(round / 2);
    if (setjmp(back) == 0) jumps();
    try { throws(round % 5); } catch (const std::exception &) { pair(); }
    sink += busy(round);
    realigned(round);
    misaligned(1 + round % 5 * 24);
#if defined(__x86_64__)
    odd_expression(left);
    odd_register(right);
#endif
    raise(SIGUSR1);
    on_another_stack(round % 6);
    if (round % 50 < 4) plugins(first, second, round);
  }
}

static void *thread(void *) {
  for (int i = 0; i < 200; i++) { recurse(i % 10); with_array(1 + i % 9); sink += busy(i); }
  return nullptr;
}

// Shapes that differ in every way that was thought of.
static void shapes(int rounds, const char *first, const char *second) {
  other_stack = (char *)malloc(1 << 16);
  signal(SIGUSR1, handler);
  all(rounds, first, second);
  // Stacks that other threads had before.
  for (int i = 0; i < 8; i++) {
    pthread_t other;
    pthread_create(&other, nullptr, thread, nullptr);
    pthread_join(other, nullptr);
  }
  free(other_stack);
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  const char *program = arguments[1];
  int rounds = count > 2 ? atoi(arguments[2]) : 0;
  if (strcmp(program, "shapes") == 0 && count > 4) shapes(rounds, arguments[3], arguments[4]);
  else if (strcmp(program, "shorter") == 0) shorter();
  else if (strcmp(program, "cuts") == 0) cuts();
  // One way a few times, then the other for so long that the cache begins with that, and back again.
  else if (strcmp(program, "phases") == 0)
    for (int i = 0; i < rounds; i++) far(i >= 10 && i < rounds - 100);
  else if (strcmp(program, "turns") == 0)
    for (int i = 0; i < rounds; i++) far(i);
  else if (strcmp(program, "deep") == 0)
    for (int i = 0; i < rounds; i++) recurse(300 - i % 3);
  // More places than the cache has room for.
  else if (strcmp(program, "many") == 0)
    for (int i = 0; i < rounds; i++) with_alloca(16 + i / 3 * 16);
  else return 2;
}
