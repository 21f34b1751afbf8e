// The measured workloads of BSTRs. The program takes the time inside itself, so that its start does
// not count.
//
//   workload KIND [depth=N] [size=CHARACTERS] [seconds=S] [warm-up=S] [count=N] [threads=N]
//                 [functions=N]
//
// KIND is one of
//   pair       allocate and free at one site
//   sites      the same at one of 1,000 functions, at random
//   paths      the same at the end of one of 10 x 10 x 10 call paths, at random
//   crossfree  one thread allocates, another frees
//   live       `count` strings at once; prints what memory each takes
//   leaks      `count` strings that nobody frees, from 10,000 call paths
//   one        one string that nobody frees
//   alive      `count` threads at once, each after 2,000 pairs at `functions` of 1,000 functions;
//              prints what memory each takes
//
// `depth` counts the program's own frames, from `main` (or a thread's function) to the one that calls
// SysAllocStringLen, both included.

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bstr.h"
#include "slices.h"

#define NOINLINE __attribute__((noinline))

static unsigned depth = 18, size = 16, threads = 1, functions = 1;
static unsigned long count = 1000000;
static double seconds = 0.1, warm_up = 0.025;
static OLECHAR text[32768];

/// Written behind each call: it keeps calls from becoming jumps, and functions from being merged.
static volatile unsigned last;

/// Keeps the compiler from removing the string.
static inline void use(BSTR bstr) { __asm__ volatile("" : : "r"(bstr) : "memory"); }

/// The work of one thread, and its time.
struct work {
  void (*body)(struct work *);
  double seconds;
  unsigned random;
  /// Nanoseconds per pair in each slice, for a thread that takes the time itself.
  double times[SLICES];
  /// The count of pairs in each slice, for other threads: `first_slice` gives the slices' times.
  unsigned long counts[SLICES];
};

static inline unsigned next_random(struct work *work) {
  work->random ^= work->random << 13;
  work->random ^= work->random >> 17;
  work->random ^= work->random << 5;
  return work->random;
}

/// Runs the work behind `frames` frames of its own.
static NOINLINE void descend(unsigned frames, struct work *work) {
  if (frames > 1) descend(frames - 1, work);
  else work->body(work);
  last = frames;
}

// MARK: one site

static NOINLINE void pair(struct work *work) {
  REPEAT(work->seconds, work->times, {
    BSTR bstr = SysAllocStringLen(text, size);
    use(bstr);
    SysFreeString(bstr);
  });
}

// MARK: 1,000 functions

#define SITE(n)                                \
  static NOINLINE void site_##n(void) {        \
    BSTR bstr = SysAllocStringLen(text, size); \
    use(bstr);                                 \
    SysFreeString(bstr);                       \
    last = 1##n;                               \
  }
#define TEN(m, n) m(n##0) m(n##1) m(n##2) m(n##3) m(n##4) m(n##5) m(n##6) m(n##7) m(n##8) m(n##9)
#define SITES10(n) TEN(SITE, n)
#define SITES100(n)                                                                   \
  SITES10(n##0) SITES10(n##1) SITES10(n##2) SITES10(n##3) SITES10(n##4) SITES10(n##5) \
  SITES10(n##6) SITES10(n##7) SITES10(n##8) SITES10(n##9)
#define ALL(m) m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9)
ALL(SITES100)

#define NAME(n) site_##n,
#define NAMES10(n) TEN(NAME, n)
#define NAMES100(n)                                                                   \
  NAMES10(n##0) NAMES10(n##1) NAMES10(n##2) NAMES10(n##3) NAMES10(n##4) NAMES10(n##5) \
  NAMES10(n##6) NAMES10(n##7) NAMES10(n##8) NAMES10(n##9)
static void (*const site_table[1000])(void) = {ALL(NAMES100)};

static NOINLINE void sites(struct work *work) {
  REPEAT(work->seconds, work->times, site_table[next_random(work) % 1000]());
}

// MARK: 10 x 10 x 10 (x 10) paths

static int is_leaking;

#define INNER(n)                               \
  static NOINLINE void inner_##n(void) {       \
    BSTR bstr = SysAllocStringLen(text, size); \
    use(bstr);                                 \
    if (!is_leaking) SysFreeString(bstr);      \
    last = n;                                  \
  }
ALL(INNER)
#define INNER_NAME(n) inner_##n,
static void (*const inner_table[10])(void) = {ALL(INNER_NAME)};

#define MIDDLE(n)                                      \
  static NOINLINE void middle_##n(unsigned path) {     \
    inner_table[path % 10]();                          \
    last = n;                                          \
  }
ALL(MIDDLE)
#define MIDDLE_NAME(n) middle_##n,
static void (*const middle_table[10])(unsigned) = {ALL(MIDDLE_NAME)};

#define OUTER(n)                                       \
  static NOINLINE void outer_##n(unsigned path) {      \
    middle_table[path / 10 % 10](path);                \
    last = n;                                          \
  }
ALL(OUTER)
#define OUTER_NAME(n) outer_##n,
static void (*const outer_table[10])(unsigned) = {ALL(OUTER_NAME)};

#define OUTMOST(n)                                     \
  static NOINLINE void outmost_##n(unsigned path) {    \
    outer_table[path / 100 % 10](path);                \
    last = n;                                          \
  }
ALL(OUTMOST)
#define OUTMOST_NAME(n) outmost_##n,
static void (*const outmost_table[10])(unsigned) = {ALL(OUTMOST_NAME)};

static NOINLINE void paths(struct work *work) {
  REPEAT(work->seconds, work->times, {
    unsigned path = next_random(work) % 1000;
    outer_table[path / 100](path);
  });
}

static NOINLINE void leaks(struct work *work) {
  (void)work;
  is_leaking = 1;
  for (unsigned long i = 0; i < count; i++) {
    unsigned path = (unsigned)(i % 10000);
    outmost_table[path / 1000](path);
  }
}

static NOINLINE void one(struct work *work) {
  (void)work;
  BSTR bstr = SysAllocStringLen(text, size);
  use(bstr);
}

/// Overwrites old values on the stack, so that no tool takes one for a reference.
static NOINLINE void scrub(void) {
  char space[65536];
  memset(space, 0, sizeof space);
  __asm__ volatile("" : : "r"(space) : "memory");
}

// MARK: many at once

static long resident_bytes(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*d %ld", &pages) != 1) abort();
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

static NOINLINE void live(struct work *work) {
  (void)work;
  BSTR *all = malloc(count * sizeof *all);
  if (!all) abort();
  memset(all, 1, count * sizeof *all);
  long before = resident_bytes();
  for (unsigned long i = 0; i < count; i++) all[i] = SysAllocStringLen(text, size);
  long after = resident_bytes();
  printf("bytes_per_string %.3f\n", (double)(after - before) / (double)count);
  printf("resident_kB %ld\n", after / 1024);
  for (unsigned long i = 0; i < count; i++) SysFreeString(all[i]);
  free(all);
}

// MARK: many threads at once

static pthread_barrier_t worked, measured;

static NOINLINE void alive_pairs(struct work *work) {
  unsigned first = next_random(work);
  for (unsigned i = 0; i < 2000; i++) site_table[(first + i % functions) % 1000]();
}

static void *live_on(void *work);

static NOINLINE void alive(struct work *work) {
  pthread_t *ids = malloc(count * sizeof *ids);
  struct work *works = calloc(count, sizeof *works);
  pthread_attr_t attributes;
  if (!ids || !works || pthread_attr_init(&attributes) != 0) abort();
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_barrier_init(&worked, NULL, (unsigned)count + 1);
  pthread_barrier_init(&measured, NULL, (unsigned)count + 1);
  long before = resident_bytes();
  for (unsigned long i = 0; i < count; i++) {
    works[i].random = next_random(work);
    if (pthread_create(&ids[i], &attributes, live_on, &works[i]) != 0) abort();
  }
  pthread_barrier_wait(&worked);
  printf("kB_per_thread %.3f\n", (double)(resident_bytes() - before) / 1024 / (double)count);
  fflush(stdout);
  pthread_barrier_wait(&measured);
  for (unsigned long i = 0; i < count; i++) pthread_join(ids[i], NULL);
}

// MARK: threads that work at the same time

/// The time when the first slice begins, for all threads.
static double first_slice;

/// Counts pairs that were just done. Returns false when the last slice is over.
static bool count_pairs(struct work *work, unsigned long more) {
  double slice = (now() - first_slice) * SLICES / seconds;
  if (slice >= SLICES) return false;
  if (slice >= 0) work->counts[(int)slice] += more;
  return true;
}

static NOINLINE void pairs(struct work *work) {
  do {
    for (int i = 0; i < 64; i++) {
      BSTR bstr = SysAllocStringLen(text, size);
      use(bstr);
      SysFreeString(bstr);
    }
  } while (count_pairs(work, 64));
}

// MARK: one thread allocates, another frees

#define SLOTS 1024
static BSTR slots[SLOTS];
static _Atomic unsigned long filled, emptied;
static _Atomic int is_done;

static NOINLINE void allocate(struct work *work) {
  do {
    for (int i = 0; i < 64; i++) {
      unsigned long at = atomic_load_explicit(&filled, memory_order_relaxed);
      while (at - atomic_load_explicit(&emptied, memory_order_acquire) == SLOTS) sched_yield();
      slots[at % SLOTS] = SysAllocStringLen(text, size);
      atomic_store_explicit(&filled, at + 1, memory_order_release);
    }
  } while (count_pairs(work, 0));
  atomic_store(&is_done, 1);
}

static NOINLINE void release(struct work *work) {
  for (;;) {
    unsigned long at = atomic_load_explicit(&emptied, memory_order_relaxed);
    while (at == atomic_load_explicit(&filled, memory_order_acquire)) {
      if (atomic_load(&is_done) && at == atomic_load(&filled)) return;
      sched_yield();
    }
    SysFreeString(slots[at % SLOTS]);
    atomic_store_explicit(&emptied, at + 1, memory_order_release);
    // The thread that frees counts: then a pair is complete.
    if (at % 64 == 63) count_pairs(work, 64);
  }
}

// MARK: running

/// The count of frames that a kind has of its own, besides `descend`: the first function and the
/// last ones.
static unsigned own_frames = 2;

static void *thread_main(void *work) {
  descend(depth - own_frames, work);
  last = 0;
  return NULL;
}

static void *live_on(void *pointer) {
  struct work *work = pointer;
  work->body = alive_pairs;
  thread_main(work);
  pthread_barrier_wait(&worked);
  pthread_barrier_wait(&measured);
  return NULL;
}

/// Runs one thread for each body; returns nanoseconds per pair by the wall clock, of all threads
/// together: the median of the slices.
static double run_threads(void (*const *bodies)(struct work *), unsigned number) {
  static struct work works[16];
  pthread_t ids[16];
  first_slice = now() + warm_up;
  for (unsigned i = 0; i < number; i++) {
    works[i].body = bodies[i];
    if (pthread_create(&ids[i], NULL, thread_main, &works[i]) != 0) abort();
  }
  double times[SLICES] = {0};
  for (unsigned i = 0; i < number; i++) {
    pthread_join(ids[i], NULL);
    for (int slice = 0; slice < SLICES; slice++) times[slice] += (double)works[i].counts[slice];
  }
  // A slice without a pair, for whatever reason, counts as one with a single pair.
  for (int slice = 0; slice < SLICES; slice++)
    times[slice] = seconds * 1e9 / SLICES / (times[slice] ? times[slice] : 1);
  return median(times);
}

int main(int argc, char **argv) {
  const char *kind = argc > 1 ? argv[1] : "pair";
  for (int i = 2; i < argc; i++) {
    if (sscanf(argv[i], "depth=%u", &depth) == 1) continue;
    if (sscanf(argv[i], "size=%u", &size) == 1) continue;
    if (sscanf(argv[i], "threads=%u", &threads) == 1) continue;
    if (sscanf(argv[i], "functions=%u", &functions) == 1) continue;
    if (sscanf(argv[i], "count=%lu", &count) == 1) continue;
    if (sscanf(argv[i], "warm-up=%lf", &warm_up) == 1) continue;
    if (sscanf(argv[i], "seconds=%lf", &seconds) == 1) continue;
    return fprintf(stderr, "workload: what is '%s'?\n", argv[i]), 2;
  }
  for (unsigned i = 0; i < sizeof text / sizeof *text; i++) text[i] = (OLECHAR)('a' + i % 26);

  struct work work = {.seconds = seconds, .random = 2463534242u};
  if (strcmp(kind, "pair") == 0) work.body = pair;
  else if (strcmp(kind, "sites") == 0) work.body = sites, own_frames = 3;
  else if (strcmp(kind, "paths") == 0) work.body = paths, own_frames = 5;
  else if (strcmp(kind, "leaks") == 0) work.body = leaks, own_frames = 6;
  else if (strcmp(kind, "live") == 0) work.body = live;
  else if (strcmp(kind, "one") == 0) work.body = one;
  else if (strcmp(kind, "alive") == 0) work.body = alive, own_frames = 3;
  else if (strcmp(kind, "threads") != 0 && strcmp(kind, "crossfree") != 0)
    return fprintf(stderr, "workload: what is '%s'?\n", kind), 2;
  if (depth <= own_frames || threads < 1 || threads > 16 || size > sizeof text / sizeof *text ||
      functions < 1 || functions > 1000)
    return fputs("workload: depth, threads, functions or size out of range\n", stderr), 2;

  if (work.body == live || work.body == leaks || work.body == one || work.body == alive) {
    descend(depth - own_frames, &work);
    scrub();
    return 0;
  }
  if (!work.body) {
    void (*bodies[16])(struct work *);
    for (unsigned i = 0; i < threads; i++) bodies[i] = pairs;
    if (strcmp(kind, "crossfree") == 0) bodies[0] = allocate, bodies[1] = release, threads = 2;
    printf("ns_per_pair %.3f\n", run_threads(bodies, threads));
    return 0;
  }
  // Caches, tables and quarantines fill before the measurement: from the same line, so with the
  // same stacks.
  for (int is_measured = 0; is_measured < 2; is_measured++) {
    work.seconds = is_measured ? seconds : warm_up;
    descend(depth - own_frames, &work);
  }
  printf("ns_per_pair %.3f\n", median(work.times));
  return 0;
}
