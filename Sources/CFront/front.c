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

// What the tracker finds this library by (notes.h): the distance to `front`.
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

// Whether the tracker's functions are called, and whether it could not be loaded.
static bool is_bound, has_failed;

static void set_target(const struct cf_export *function, void *target) {
  __atomic_store_n(function->target, target, __ATOMIC_RELEASE);
}

// MARK: binding

// In place of functions that nobody defines: no string, and no characters.
static uintptr_t nothing(void) { return 0; }

static void *next_or_nothing(const char *name) {
  void *next = find_next(name);
  return next ? next : (void *)nothing;
}

// Has libc's functions called that are watched.
static void bind_to_libc(void) {
  static bool is_done;
  if (__atomic_exchange_n(&is_done, true, __ATOMIC_ACQ_REL)) return;
  for (const struct cf_export *function = cf_exports; function < cf_exports + cf_export_count;
       function++) {
    if (function->kind != CF_IS_WATCHED) continue;
    // The search itself may free a few bytes, which are then leaked.
    void *first_call = *function->target;
    set_target(function, (void *)nothing);
    void *next = find_next(function->name);
    set_target(function, next ? next : first_call);
  }
}

// Called by the tracker's first constructor. By its tables: the loader is loading it, and answers
// no question about it before it is ready.
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
  __atomic_store_n(&is_bound, true, __ATOMIC_RELEASE);
}

// Has what the program would have without this library called.
static void bind_without_tracker(void) {
  for (const struct cf_export *function = cf_exports; function < cf_exports + cf_export_count;
       function++)
    if (function->kind != CF_IS_WATCHED) set_target(function, next_or_nothing(function->name));
}

// MARK: loading

static const struct link_map *last_module(void) {
  const struct link_map *module = _r_debug.r_map;
  while (module && module->l_next) module = module->l_next;
  return module;
}

// The last module when this library started; NULL before.
static const struct link_map *last_initial;

static void say(const char *reason) {
  char line[1400];
  int bytes = snprintf(line, sizeof line, "bstrtrace: nothing is recorded: %s\n", reason);
  if (bytes > (int)sizeof line - 1) bytes = sizeof line - 1;
  if (write(STDERR_FILENO, line, (size_t)bytes) < 0) return;
}

static bool is_settled(void) {
  return __atomic_load_n(&is_bound, __ATOMIC_ACQUIRE) ||
         __atomic_load_n(&has_failed, __ATOMIC_ACQUIRE);
}

// Takes no lock of the loader's, which a thread may hold that waits here.
static void prepare(void) {
  cf_withdraw_note();
  cf_front.module = ct_module_of((uintptr_t)&cf_front);
  cf_front.locals_offset = (char *)&locals - (char *)__builtin_thread_pointer();
  cf_front.is_first = !last_initial || last_initial == last_module();
}

// Loads the tracker from the folder of this library. Two threads may both do that: the loader lets
// one wait.
static void load_tracker(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (is_settled()) return;
  pthread_once(&once, prepare);
  bind_to_libc();
  char path[4096];
  const char *own = cf_front.module ? cf_front.module->l_name : "";
  int folder_bytes = (int)(strrchr(own, '/') ? strrchr(own, '/') + 1 - own : 0);
  int bytes = snprintf(path, sizeof path, "%.*s%s", folder_bytes, own, tracker_name);
  void *(*open)(const char *, int) = (void *(*)(const char *, int))find_next("dlopen");
  if (open && bytes > 0 && bytes < (int)sizeof path) {
    is_loading = true;
    open(path, RTLD_LAZY | RTLD_NODELETE);
    is_loading = false;
  }
  if (__atomic_load_n(&is_bound, __ATOMIC_ACQUIRE)) return;
  const char *reason = dlerror();
  if (__atomic_exchange_n(&has_failed, true, __ATOMIC_ACQ_REL)) return;
  say(reason ? reason : "the tracker does not start");
  bind_without_tracker();
}

void *cf_bind(void **target) {
  int saved = errno;
  const struct cf_export *function = cf_exports;
  while (function->target != target) function++;
  void *first_call = *target;
  if (function->kind == CF_IS_WATCHED) bind_to_libc();
  else if (!is_loading) load_tracker();
  void *bound = __atomic_load_n(target, __ATOMIC_ACQUIRE);
  // Still the same while this thread loads the tracker.
  if (bound == first_call) bound = next_or_nothing(function->name);
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
    if (module == own || !ct_read_tables(module, &tables)) continue;
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

// A thread that began its fork before another one loaded the tracker is not known there.
static void end_fork(void) {
  if (locals.forking > 0) cf_front.end_fork();
}

static void end_fork_in_child(void) {
  if (locals.forking > 0) cf_front.end_fork_in_child();
}

__attribute__((destructor(101))) static void end(void) {
  if (cf_front.ending) cf_front.ending();
}

// The loader may first run the constructors of libraries that do not depend on this one: a BSTR
// function that these call loads the tracker. No other thread can hold the loader's lock then.
__attribute__((constructor)) static void start(int count, char **arguments) {
  bind_to_libc();
  last_initial = last_module();
  // First: called in the order of their registration, and before a fork in the opposite one.
  pthread_atfork(begin_fork, end_fork, end_fork_in_child);
  // quick_exit runs no destructors, and runs the function that was registered first last.
  at_quick_exit(end);
  if (is_bound) return;
  const char *options = value("BSTRTRACE_OPTIONS");
  // Functions inside of modules are replaced while nothing runs there.
  bool is_inside = strstr(options, "inside=on") || strstr(options, "function=");
  if (!is_inside && !is_needed(ct_module_of((uintptr_t)&cf_front))) {
    const char *folder = value("BSTRTRACE_STORE");
    bool is_child = atoi(value("BSTRTRACE_RUNNER")) == getppid();
    if (folder[0] == '/' && (is_child || !strstr(options, "follow-children=off")))
      cf_note_untraced(folder, count, arguments);
    return;
  }
  load_tracker();
  // As the loader ends a program that needs a library which is not there.
  if (!is_bound) _exit(127);
}
