// Tries the functions of a family out, in a child process, before they are replaced.

#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "CTracker.h"
#include "family.h"

#define LONG_COUNT 25
#define SHORT_COUNT 3
// The time of all trials of a family, of which one takes well under a millisecond: meanwhile the
// loader's lock may be held.
#define MAX_NANOSECONDS UINT64_C(1000000000)
// The trials where other threads may hold a lock of the heap, and keep it held in the child.
#define MAX_TRIALS 3

typedef void *allocate_text(const void *text);
typedef void *allocate_count(const void *text, uint32_t count);
typedef int reallocate_text(void **string, const void *text);
typedef int reallocate_count(void **string, const void *text, uint32_t count);
typedef void free_string(void *string);
typedef uint32_t read_string(const void *string);

// The texts, in characters of either width; each ends with a zero.
struct text {
  uint16_t narrow[LONG_COUNT + 1];
  uint32_t wide[LONG_COUNT + 1];
};

struct trial {
  const struct ct_family *family;
  struct text texts[2];
  // 0 while they are not known.
  size_t width, offset;
};

static const void *text_of(const struct trial *trial, int index) {
  const struct text *text = &trial->texts[index];
  return trial->width == 4 ? (const void *)text->wide : (const void *)text->narrow;
}

static void *function(const struct trial *trial, enum ct_function function) {
  return (void *)trial->family->functions[function].address;
}

static uint32_t length_of(const void *string) {
  uint32_t bytes;
  memcpy(&bytes, (const char *)string - sizeof bytes, sizeof bytes);
  return bytes;
}

// Whether what a function did is being looked at, so that a crash is no answer.
static volatile bool is_judging;

// Returns whether a string has so many bytes, those of `content` unless that is NULL, and a
// terminator of a character.
static bool has(const struct trial *trial, const char *string, uint32_t bytes,
                const void *content) {
  static const char zeros[4];
  is_judging = true;
  bool result = string && length_of(string) == bytes &&
                (!content || memcmp(string, content, bytes) == 0) &&
                memcmp(string + bytes, zeros, trial->width) == 0;
  is_judging = false;
  return result;
}

// Frees a string; returns whether a block in front of it was then freed, at the distance that
// earlier strings of the trial had.
static bool is_freed(struct trial *trial, void *string) {
  struct ct_thread *thread = ct_thread();
  thread->probed_string = (uintptr_t)string;
  thread->probed_offset = -1;
  is_judging = true;
  ((free_string *)function(trial, CT_FUNCTION_SysFreeString))(string);
  is_judging = false;
  size_t offset = (size_t)thread->probed_offset;
  if (offset != 4 && offset != 8) return false;
  if (trial->offset == 0) trial->offset = offset;
  return trial->offset == offset;
}

// Detects the width of a character by the length of a string of 25 characters. Only the bytes of
// the narrow text are known to be characters then.
static bool find_width(struct trial *trial) {
  const struct text *text = &trial->texts[0];
  allocate_count *with_count = function(trial, CT_FUNCTION_SysAllocStringLen);
  allocate_text *with_text = function(trial, CT_FUNCTION_SysAllocString);
  enum ct_linkage linkage = trial->family->linkage;
  size_t named = linkage == CT_LINKAGE_w ? 4
                 : linkage == CT_LINKAGE_Ds || linkage == CT_LINKAGE_t ? 2
                                                                       : 0;
  if (with_count || with_text) {
    // Reading 25 wide characters goes over the end of the narrow text, into the wide one.
    void *string = with_count ? with_count(text->narrow, LONG_COUNT) : with_text(text->wide);
    if (!string) return false;
    uint32_t bytes = length_of(string);
    // In a narrow family the wide text has one character, and the upper half of that ends it.
    trial->width = bytes == 4 * LONG_COUNT ? 4
                   : bytes == (with_count ? 2 * LONG_COUNT : 2) ? 2
                                                                : 0;
    if (!is_freed(trial, string)) return false;
  } else {
    trial->width = named;
  }
  return trial->width != 0 && (named == 0 || named == trial->width);
}

// Returns whether the functions that only read a string read those of this library: one may count
// on a field of its own in front of the length.
static bool are_read(const struct trial *trial, uint32_t bytes) {
  char *block = malloc(trial->offset + bytes + 4 + 8);
  if (!block) return false;
  // As BSTRFunctions.swift writes it.
  memset(block, 0, trial->offset);
  char *string = block + trial->offset;
  memcpy(string - sizeof bytes, &bytes, sizeof bytes);
  memcpy(string, text_of(trial, 0), bytes);
  memset(string + bytes, 0, trial->width);
  memset(string + bytes + trial->width, 0xFB, 8);
  bool result = true;
  for (uint32_t i = 0; i < trial->family->reader_count; i++) {
    bool counts = trial->family->readers[i].function == CT_FUNCTION_SysStringLen;
    read_string *read = (read_string *)trial->family->readers[i].address;
    result &= read(string) == (counts ? bytes / (uint32_t)trial->width : bytes);
  }
  free(block);
  return result;
}

// MARK: arguments that may never be given

static bool allocates_none(struct trial *trial) {
  allocate_text *all = function(trial, CT_FUNCTION_SysAllocString);
  return !all || !all(NULL);
}

static bool allocates_empty(struct trial *trial) {
  static const uint32_t empty;
  allocate_text *all = function(trial, CT_FUNCTION_SysAllocString);
  if (!all) return true;
  void *string = all(&empty);
  return has(trial, string, 0, NULL) && is_freed(trial, string);
}

static bool allocates_so_many(struct trial *trial, const void *text, uint32_t count) {
  allocate_count *characters = function(trial, CT_FUNCTION_SysAllocStringLen);
  if (!characters) return true;
  void *string = characters(text, count);
  return has(trial, string, count * (uint32_t)trial->width, text) && is_freed(trial, string);
}

static bool allocates_no_characters(struct trial *trial) {
  return allocates_so_many(trial, text_of(trial, 0), 0);
}

static bool allocates_characters_of_none(struct trial *trial) {
  return allocates_so_many(trial, NULL, SHORT_COUNT);
}

static bool allocates_bytes_of(struct trial *trial, const void *text, uint32_t count) {
  allocate_count *bytes = function(trial, CT_FUNCTION_SysAllocStringByteLen);
  if (!bytes) return true;
  void *string = bytes(text, count);
  return has(trial, string, count, text) && is_freed(trial, string);
}

static bool allocates_no_bytes(struct trial *trial) {
  return allocates_bytes_of(trial, text_of(trial, 0), 0);
}

static bool allocates_bytes_of_none(struct trial *trial) {
  return allocates_bytes_of(trial, NULL, 8);
}

static bool reallocates_none(struct trial *trial) {
  void *string = NULL;
  const void *text = text_of(trial, 0);
  reallocate_text *again = function(trial, CT_FUNCTION_SysReAllocString);
  return !again || (again(&string, text) &&
                    has(trial, string, LONG_COUNT * (uint32_t)trial->width, text) &&
                    is_freed(trial, string));
}

static bool reallocates_characters_of_none(struct trial *trial) {
  void *string = NULL;
  const void *text = text_of(trial, 0);
  reallocate_count *counted = function(trial, CT_FUNCTION_SysReAllocStringLen);
  return !counted || (counted(&string, text, SHORT_COUNT) &&
                      has(trial, string, SHORT_COUNT * (uint32_t)trial->width, text) &&
                      is_freed(trial, string));
}

static bool reads_none(struct trial *trial) {
  bool result = true;
  for (uint32_t i = 0; i < trial->family->reader_count; i++)
    result &= ((read_string *)trial->family->readers[i].address)(NULL) == 0;
  return result;
}

static sigjmp_buf crash;

static void leave(int signal) { siglongjmp(crash, signal); }

// Returns whether each function, given NULL or an empty text, answers as this library's does or
// crashes: no caller then relies on an answer. An abort is an answer, and another one: it may be an
// exception that the program catches.
static bool agree_or_crash(struct trial *trial) {
  static bool (*const all[])(struct trial *trial) = {
      allocates_none,          allocates_empty,         allocates_no_characters,
      allocates_no_bytes,      allocates_bytes_of_none, allocates_characters_of_none,
      reallocates_none,        reads_none,              reallocates_characters_of_none,
  };
  static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
  const struct sigaction leaving = {.sa_handler = leave};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigaction(faults[i], &leaving, NULL);
  for (volatile size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (sigsetjmp(crash, 1) == 0 ? !all[i](trial) : is_judging) return false;
  return true;
}

static bool answers(struct trial *trial) {
  if (!find_width(trial)) return false;
  uint32_t width = (uint32_t)trial->width;
  // Each argument has two values: a compiler may have replaced one that was always the same.
  for (int i = 0; i < 2; i++) {
    const void *text = text_of(trial, i), *other = text_of(trial, 1 - i);
    uint32_t count = i == 0 ? LONG_COUNT : SHORT_COUNT, other_count = i == 0 ? 2 : 7;
    void *string = NULL;
    allocate_count *characters = function(trial, CT_FUNCTION_SysAllocStringLen);
    if (characters) {
      string = characters(text, other_count);
      if (!has(trial, string, other_count * width, text) || !is_freed(trial, string)) return false;
    }
    allocate_count *bytes = function(trial, CT_FUNCTION_SysAllocStringByteLen);
    if (bytes) {
      string = bytes(text, 4 * other_count);
      if (!has(trial, string, 4 * other_count, text) || !is_freed(trial, string)) return false;
    }
    allocate_text *all = function(trial, CT_FUNCTION_SysAllocString);
    if (all) {
      string = all(text);
      if (!has(trial, string, count * width, text)) return false;
    } else if (characters) {
      string = characters(text, count);
    } else {
      continue;
    }
    reallocate_text *again = function(trial, CT_FUNCTION_SysReAllocString);
    if (again && (!again(&string, other) ||
                  !has(trial, string, (i == 0 ? SHORT_COUNT : LONG_COUNT) * width, other)))
      return false;
    reallocate_count *counted = function(trial, CT_FUNCTION_SysReAllocStringLen);
    if (counted && (!counted(&string, text, other_count) ||
                    !has(trial, string, other_count * width, text)))
      return false;
    if (!is_freed(trial, string)) return false;
  }
  return are_read(trial, LONG_COUNT * width) && are_read(trial, SHORT_COUNT * width) &&
         agree_or_crash(trial);
}

// Closes all descriptors but one. What a function writes, or `exit` flushes, is written to none.
static void close_others(int kept) {
  if (syscall(SYS_close_range, 0, kept - 1, 0) == 0 &&
      syscall(SYS_close_range, kept + 1, ~0u, 0) == 0)
    return;
  // Before Linux 5.9
  for (int file = 0; file < 65536; file++)
    if (file != kept) close(file);
}

// The stack of the child: no frame of the program's is on it, so that no handler there catches an
// exception of a function that is tried.
static char stack[256 << 10] __attribute__((aligned(64)));

static void run(const struct ct_family *family, int result);

static const struct ct_family *tried_family;
static int tried_result;

static void run_on_own_stack(void) {
  run(tried_family, tried_result);
  for (;;) syscall(SYS_exit_group, 0);
}

// Goes to the child's stack, and never returns. The unwinder ends at the frame that makecontext
// makes: an exception that gets there ends the child.
static void start(const struct ct_family *family, int result) {
  ucontext_t context;
  if (getcontext(&context) != 0) return;
  tried_family = family;
  tried_result = result;
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = sizeof stack;
  context.uc_link = NULL;
  makecontext(&context, run_on_own_stack, 0);
  setcontext(&context);
}

// Runs in the child.
static void run(const struct ct_family *family, int result) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close_others(result);
  // It ends without a core, and without the program's own handlers.
  prctl(PR_SET_DUMPABLE, 0);
  const struct sigaction plain = {.sa_handler = SIG_DFL};
  static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    sigaction(faults[i], &plain, NULL);
    sigaddset(&set, faults[i]);
  }
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  ct_begin_probe();
  struct trial trial = {.family = family};
  for (int i = 0; i < 2; i++) {
    int count = i == 0 ? LONG_COUNT : SHORT_COUNT;
    for (int at = 0; at < count; at++)
      trial.texts[i].narrow[at] = (uint16_t)(trial.texts[i].wide[at] = (uint32_t)('a' + at + i));
  }
  if (!answers(&trial)) return;
  struct ct_family_layout layout = {(uint8_t)trial.width, (uint8_t)trial.offset};
  ssize_t written = write(result, &layout, sizeof layout);
  (void)written;
}

// Waits for the answer of a child, until it ends or the time is over.
static bool is_answered(int end, uint64_t limit, struct ct_family_layout *layout) {
  struct pollfd poller = {.fd = end, .events = POLLIN};
  int ready = -1;
  for (uint64_t now; ready < 0 && (now = ct_now()) < limit;) {
    ready = poll(&poller, 1, (int)((limit - now) / 1000000) + 1);
    if (ready < 0 && errno != EINTR) return false;
  }
  struct ct_family_layout answer;
  if (ready != 1 || read(end, &answer, sizeof answer) != sizeof answer) return false;
  *layout = answer;
  return true;
}

static bool try_once(const struct ct_family *family, uint64_t limit,
                     struct ct_family_layout *layout) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  // No signal to this process at its end, no handlers of fork, and no debugger's business.
  pid_t child = (pid_t)syscall(SYS_clone, CLONE_UNTRACED, NULL, NULL, NULL, NULL);
  if (child == 0) {
    start(family, ends[1]);
    for (;;) syscall(SYS_exit_group, 0);
  }
  close(ends[1]);
  bool result = child > 0 && is_answered(ends[0], limit, layout);
  close(ends[0]);
  if (child > 0) {
    if (!result) syscall(SYS_kill, child, SIGKILL);
    while (waitpid(child, NULL, __WALL) < 0 && errno == EINTR) {}
  }
  return result;
}

// Has the heap put blocks aside for this thread, for which a child then needs no lock.
static void fill_heap_cache(void) {
  void *blocks[4];
  for (size_t bytes = 16; bytes <= 256; bytes += 16) {
    for (int i = 0; i < 4; i++) blocks[i] = malloc(bytes);
    for (int i = 0; i < 4; i++) free(blocks[i]);
  }
}

bool ct_try_family(const struct ct_family *family, bool has_threads,
                   struct ct_family_layout *layout) {
  // What is called here ends a thread that was cancelled, with the recursion guard that it holds.
  int cancel_state;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
  bool answers = false;
  const uint64_t end = ct_now() + MAX_NANOSECONDS;
  for (uint64_t left = has_threads ? MAX_TRIALS : 1, now; !answers && left > 0; left--) {
    if ((now = ct_now()) >= end) break;
    if (has_threads) fill_heap_cache();
    answers = try_once(family, now + (end - now) / left, layout);
  }
  pthread_setcancelstate(cancel_state, NULL);
  return answers;
}
