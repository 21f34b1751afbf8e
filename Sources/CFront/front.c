// Loads the tracker where it is needed, and has it called around forks and at the process's end.
// Until then the functions are libc's.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CSymbols.h"
#include "CTracker.h"
#include "environment.h"
#include "exports.h"
#include "untraced.h"

static const char tracker_name[] = "libbstrtrace-tracker.so";

// What the tracker finds this library by (notes.h): the distance to `cf_front`.
__asm__(".pushsection .note.bstrtrace,\"a\",%note\n"
        ".balign 4\n"
        ".long 10, 8, 2\n"
        ".asciz \"bstrtrace\"\n"
        ".balign 4\n"
        ".quad cf_front - .\n"
        ".popsection\n");

static _Thread_local struct ct_locals locals __attribute__((tls_model("initial-exec")));
static _Thread_local bool is_loading __attribute__((tls_model("initial-exec")));

// RTLD_NEXT is what comes after the caller of dlsym: no tail call.
static void *find_next(const char *name) {
  void *next = dlsym(RTLD_NEXT, name);
  ct_keep_frame();
  return next;
}
static void bind_to_tracker(const struct link_map *tracker);

__attribute__((visibility("hidden"))) struct ct_front cf_front = {
    .next_function = find_next,
    .bind = bind_to_tracker,
};

// A tracker of another build, whose `ct_front` may be another one, is not loaded: it needs a
// function that is not there. The number is raised with each change of `ct_front` or `ct_locals`.
static const char version[] = "bstrtrace_front_1";
void bstrtrace_front_1(void) {}

// Whether the tracker's functions are called, or, for good, those that there would be without.
static enum { IS_OPEN, IS_BOUND, IS_WITHOUT_TRACKER } state;

static void set_target(const struct cf_export *function, void *target) {
  __atomic_store_n(function->target, target, __ATOMIC_RELEASE);
}

// MARK: binding

// In place of functions that nobody defines: no string, and no characters.
static uintptr_t nothing(void) { return 0; }

static void *next_or_nothing(const char *name) {
  void *next = find_next(name);
  // Nothing comes next where the program itself has opened this library.
  if (!next) next = dlsym(RTLD_DEFAULT, name);
  bool is_own = next && ct_module_of((uintptr_t)next) == ct_module_of((uintptr_t)&cf_front);
  return next && !is_own ? next : (void *)nothing;
}

// Has libc's functions called that are watched.
static void bind_to_libc(void) {
  static bool is_done;
  if (__atomic_exchange_n(&is_done, true, __ATOMIC_ACQ_REL)) return;
  for (const struct cf_export *function = cf_exports; function < cf_exports + cf_export_count;
       function++) {
    if (function->kind != CF_IS_WATCHED) continue;
    // The search itself may free a few bytes, which are then leaked.
    if (strcmp(function->name, "free") == 0) set_target(function, (void *)nothing);
    void *next = find_next(function->name);
    set_target(function, next ? next : function->first_call);
  }
}

// Called by the tracker when Swift code may run in it, while it is loaded. By its tables: the
// loader answers no question about it before it is ready.
static void bind_to_tracker(const struct link_map *tracker) {
  struct ct_tables tables;
  if (!ct_read_tables(tracker, &tables)) return;
  for (const struct cf_export *function = cf_exports; function < cf_exports + cf_export_count;
       function++) {
    const ElfW(Sym) *symbol = ct_look_up(&tables, function->name);
    if (symbol) set_target(function, (void *)(tracker->l_addr + symbol->st_value));
    else if (function->kind == CF_IS_OPENING)
      set_target(function, next_or_nothing(function->name));
  }
  __atomic_store_n(&state, IS_BOUND, __ATOMIC_RELEASE);
}

// Has what the program would have without this library called, unless a thread has loaded the
// tracker meanwhile. Returns whether it was done.
static bool bind_without_tracker(void) {
  int open = IS_OPEN;
  if (!__atomic_compare_exchange_n((int *)&state, &open, IS_WITHOUT_TRACKER, false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return false;
  for (const struct cf_export *function = cf_exports; function < cf_exports + cf_export_count;
       function++)
    if (function->kind != CF_IS_WATCHED) set_target(function, next_or_nothing(function->name));
  return true;
}

// MARK: loading

static const struct link_map *last_module(void) {
  const struct link_map *module = _r_debug.r_map;
  while (module && module->l_next) module = module->l_next;
  return module;
}

static bool is_settled(void) { return __atomic_load_n(&state, __ATOMIC_ACQUIRE) != IS_OPEN; }

// The path of the tracker, in the folder of this library. Not on the stack, of which a thread may
// have little.
static char tracker_path[4096];

// Takes no lock of the loader's, which a thread may hold that waits here.
static void prepare(void) {
  cf_front.module = ct_module_of((uintptr_t)&cf_front);
  cf_front.locals_offset = (char *)&locals - (char *)__builtin_thread_pointer();
  const char *own = cf_front.module ? cf_front.module->l_name : "";
  int folder_bytes = (int)(strrchr(own, '/') ? strrchr(own, '/') + 1 - own : 0);
  snprintf(tracker_path, sizeof tracker_path, "%.*s%s", folder_bytes, own, tracker_name);
}

typedef void *opener(const char *path, int mode);

// Whether calls come to this library first. They do not where the program itself has opened it, and
// where another installation's is preloaded in front of it: a traced process has started another
// `bstrtrace run`. This one then leaves all to the others.
static bool is_in_front(opener *open) {
  void *program = open ? open(NULL, RTLD_LAZY) : NULL;
  void *first = program ? dlsym(program, version) : NULL;
  return first && ct_module_of((uintptr_t)first) == ct_module_of((uintptr_t)&cf_front);
}

// Loads the tracker. Two threads may both do that: the loader lets one wait.
static void load_tracker(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (is_settled()) return;
  pthread_once(&once, prepare);
  bind_to_libc();
  opener *open = (opener *)find_next("dlopen");
  if (!is_in_front(open)) {
    bind_without_tracker();
    return;
  }
  __atomic_fetch_add(&cf_front.loading, 1, __ATOMIC_ACQ_REL);
  is_loading = true;
  open(tracker_path, RTLD_LAZY | RTLD_NODELETE);
  is_loading = false;
  __atomic_fetch_sub(&cf_front.loading, 1, __ATOMIC_ACQ_REL);
  if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == IS_BOUND) {
    cf_withdraw_note();
    return;
  }
  // Before more is looked up, which may overwrite the reason.
  const char *reason = dlerror();
  char line[1400];
  int bytes = snprintf(line, sizeof line, "bstrtrace: nothing is recorded: %s\n",
                       reason ? reason : "the tracker does not start");
  if (bytes >= (int)sizeof line) bytes = sizeof line - 1;
  // A line that cannot be written is of no more use.
  if (bind_without_tracker() && write(STDERR_FILENO, line, (size_t)bytes) < 0) return;
}

void *cf_bind(void **target) {
  int saved = errno;
  const struct cf_export *function = cf_exports;
  while (function->target != target) function++;
  if (function->kind == CF_IS_WATCHED) bind_to_libc();
  else if (!is_loading) load_tracker();
  void *bound = __atomic_load_n(target, __ATOMIC_ACQUIRE);
  // Still the same while this thread loads the tracker.
  if (bound == function->first_call) bound = next_or_nothing(function->name);
  errno = saved;
  return bound;
}

// MARK: who needs it

// The names of traced functions begin so, behind _Z and a length.
static bool may_be_traced(const char *name) {
  if (name[0] == '_' && name[1] == 'Z' && name[2] && name[3]) name += 4;
  return strncmp(name, "Sys", 3) == 0 || strncmp(name, "bstrtrace_", 10) == 0 ||
         strncmp(name, "VarBstr", 7) == 0 || strcmp(name, "SetOaNoCache") == 0;
}

static bool is_traced(const char *name) {
  if (!may_be_traced(name)) return false;
  for (size_t i = 0; i < cf_export_count; i++)
    if (cf_exports[i].kind == CF_IS_TRACED && strcmp(cf_exports[i].name, name) == 0) return true;
  return false;
}

static bool uses_traced(const struct ct_tables *tables) {
  for (int i = 0; i < 2; i++) {
    const ElfW(Rela) *relocation = tables->relocations[i].first;
    size_t count = relocation ? tables->relocations[i].bytes / sizeof *relocation : 0;
    for (; count > 0; count--, relocation++) {
      size_t symbol = ELF64_R_SYM(relocation->r_info);
      if (symbol && is_traced(tables->strings + tables->symbols[symbol].st_name)) return true;
    }
  }
  return false;
}

static bool defines_traced(const struct ct_tables *tables) {
  for (size_t i = 0; i < cf_export_count; i++)
    if (cf_exports[i].kind == CF_IS_TRACED && ct_look_up(tables, cf_exports[i].name)) return true;
  return false;
}

// Whether a module that the program was started with has or uses a traced function.
static bool is_needed(const struct link_map *own) {
  for (const struct link_map *module = _r_debug.r_map; module; module = module->l_next) {
    struct ct_tables tables;
    if (module == own || !ct_read_tables(module, &tables) || ct_look_up(&tables, version)) continue;
    if (uses_traced(&tables) || defines_traced(&tables)) return true;
  }
  return false;
}

// Returns the value of a variable, "" where it has none.
static const char *value(const char *name) {
  const char *value = ct_environment(name);
  return value ? value : "";
}

// MARK: the process

static void begin_fork(void) {
  void (*begin)(void) = __atomic_load_n(&cf_front.begin_fork, __ATOMIC_ACQUIRE);
  if (begin) begin();
}

// A thread may have begun its fork before another one loaded the tracker, which does not know of it
// then.
static void end_fork(void) {
  if (locals.forking > 0) cf_front.end_fork();
}

static void end_fork_in_child(void) {
  if (!__atomic_load_n(&cf_front.begin_fork, __ATOMIC_ACQUIRE)) return;
  if (locals.forking == 0) locals.forking = 1;
  cf_front.end_fork_in_child();
}

__attribute__((destructor(101))) static void end(void) {
  if (cf_front.ending) cf_front.ending();
}

// Loads the tracker where it is needed from the start, or leaves a note that it is not.
static void look_around(int count, char **arguments) {
  if (state == IS_BOUND || !is_in_front((opener *)find_next("dlopen"))) return;
  const char *options = value("BSTRTRACE_OPTIONS");
  // Functions inside of modules are replaced while nothing runs there.
  bool is_inside = strstr(options, "inside=on") || strstr(options, "function=");
  if (is_inside || is_needed(ct_module_of((uintptr_t)&cf_front))) {
    load_tracker();
    // As the loader ends a program that needs a library which is not there.
    if (state != IS_BOUND) _exit(127);
    return;
  }
  const char *folder = value("BSTRTRACE_STORE"), *runner = value("BSTRTRACE_RUNNER");
  bool is_child = runner[0] && atoi(runner) == getppid();
  if (folder[0] == '/' && (is_child || !strstr(options, "follow-children=off")))
    cf_note_untraced(folder, is_child, count, arguments);
}

// The loader may first run the constructors of libraries that do not depend on this one: a BSTR
// function that these call loads the tracker. No other thread can hold the loader's lock then.
__attribute__((constructor)) static void start(int count, char **arguments) {
  // The program may rely on its being 0.
  int saved = errno;
  bind_to_libc();
  cf_front.last_initial = last_module();
  // First: called in the order of their registration, and before a fork in the opposite one.
  pthread_atfork(begin_fork, end_fork, end_fork_in_child);
  // quick_exit runs no destructors, and runs the function that was registered first last.
  at_quick_exit(end);
  look_around(count, arguments);
  errno = saved;
}
