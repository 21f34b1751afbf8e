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

// Whether this process has left a store, as another program.
static bool has_store(const char *folder) {
  int bytes = snprintf(note_path, sizeof note_path, "%s/%d.0.store", folder, (int)getpid());
  return bytes < (int)sizeof note_path && access(note_path, F_OK) == 0;
}

static void fill(uint64_t start, int count, char **arguments, const char *executable) {
  struct stat ids;
  add_number((uint64_t)getpid());
  add_number((uint64_t)getppid());
  add_number(stat("/proc/self/ns/pid", &ids) == 0 ? (uint32_t)ids.st_ino : 0);
  add_number(start);
  add_number(ct_precise_now());
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

void cf_note_untraced(const char *folder, bool is_own, int count, char **arguments) {
  char executable[4096];
  struct stat status;
  ssize_t length = readlink("/proc/self/exe", executable, sizeof executable - 1);
  if (length <= 0 || stat("/proc/self/exe", &status) != 0) return;
  executable[length] = 0;
  // In the clock's ticks; behind the store's, which may be of the same tick.
  bool has_changed = has_store(folder);
  uint64_t start = ct_now() + has_changed;
  // The time as well: a file that was removed leaves its number to the next one.
  int bytes = snprintf(note_path, sizeof note_path, "%s/%" PRIx64 "-%" PRIx64 "-%" PRIx64 "%09ld",
                       folder, (uint64_t)status.st_dev, (uint64_t)status.st_ino,
                       (uint64_t)status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
  // A process whose end matters has a note of its own.
  if (bytes < (int)sizeof note_path && (is_own || has_changed))
    bytes += snprintf(note_path + bytes, sizeof note_path - (size_t)bytes, "-%d", (int)getpid());
  if (bytes < (int)sizeof note_path)
    bytes += snprintf(note_path + bytes, sizeof note_path - (size_t)bytes, ".untraced");
  if (bytes >= (int)sizeof note_path) return;
  int file = open(note_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return;
  fill(start, count, arguments, executable);
  noted_process = getpid();
  if (note.is_full || write(file, note.bytes, note.used) != (ssize_t)note.used)
    cf_withdraw_note();
  close(file);
}

void cf_withdraw_note(void) {
  if (noted_process == getpid()) unlink(note_path);
  noted_process = 0;
}
