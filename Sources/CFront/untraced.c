// Leaves a note of a process that does not need the tracker, so that a report can say why no BSTR
// was seen in it: one for each executable of a run. Read by TraceStore's UntracedProcess.swift,
// which describes it.

#define _GNU_SOURCE
#include "untraced.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CTracker.h"

static char note_path[4096];
static pid_t noted_process;

static struct {
  char bytes[1 << 16];
  size_t used;
  bool is_full;
} note;

static void add_text(const char *text) {
  size_t count = strlen(text);
  if (note.is_full || count >= sizeof note.bytes - note.used) {
    note.is_full = true;
    return;
  }
  memcpy(note.bytes + note.used, text, count);
  note.used += count;
  note.bytes[note.used++] = 0;
}

static void add_number(uint64_t number) {
  char digits[17];
  snprintf(digits, sizeof digits, "%" PRIx64, number);
  add_text(digits);
}

static void add_modules(const char *executable) {
  for (const struct link_map *module = _r_debug.r_map; module; module = module->l_next) {
    bool is_executable = module == _r_debug.r_map;
    struct dl_find_object found;
    // Not the vDSO, which is no file.
    if ((!is_executable && !strchr(module->l_name, '/')) ||
        _dl_find_object(module->l_ld, &found) != 0)
      continue;
    add_number((uintptr_t)found.dlfo_map_start);
    add_number((uintptr_t)found.dlfo_map_end);
    add_number(module->l_addr);
    add_text(is_executable ? executable : module->l_name);
  }
}

// The time, in the clock's ticks; where this process has left a store as another program, behind
// that store's, which may be of the same tick.
static uint64_t start_time(const char *folder) {
  char store[4096];
  uint64_t now = ct_now();
  int bytes = snprintf(store, sizeof store, "%s/%d.0.store", folder, (int)getpid());
  return bytes < (int)sizeof store && access(store, F_OK) == 0 ? now + 1 : now;
}

static void fill(const char *folder, int count, char **arguments, const char *executable) {
  struct stat ids;
  add_number((uint64_t)getpid());
  add_number((uint64_t)getppid());
  add_number(stat("/proc/self/ns/pid", &ids) == 0 ? (uint32_t)ids.st_ino : 0);
  add_number(start_time(folder));
  add_number(ct_suspended());
  add_text(executable);
  // Of very many arguments the first ones: modules are more important.
  size_t bytes = 0;
  int kept = 0;
  while (kept < count && (bytes += strlen(arguments[kept]) + 1) < sizeof note.bytes / 2) kept++;
  add_number((uint64_t)kept);
  for (int i = 0; i < kept; i++) add_text(arguments[i]);
  add_modules(executable);
}

void cf_note_untraced(const char *folder, int count, char **arguments) {
  char executable[4096];
  struct stat status;
  ssize_t length = readlink("/proc/self/exe", executable, sizeof executable - 1);
  if (length <= 0 || stat("/proc/self/exe", &status) != 0) return;
  executable[length] = 0;
  int bytes = snprintf(note_path, sizeof note_path, "%s/%" PRIx64 "-%" PRIx64 ".untraced", folder,
                       (uint64_t)status.st_dev, (uint64_t)status.st_ino);
  if (bytes >= (int)sizeof note_path) return;
  int file = open(note_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return;
  fill(folder, count, arguments, executable);
  noted_process = getpid();
  if (note.is_full || write(file, note.bytes, note.used) != (ssize_t)note.used)
    cf_withdraw_note();
  close(file);
}

void cf_withdraw_note(void) {
  if (noted_process == getpid()) unlink(note_path);
  noted_process = 0;
}
