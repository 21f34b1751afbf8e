// Chooses which of several copies of this library in one process records: a preloaded copy, a
// linked one, one inside the executable. Finds the other copies; passing calls on to them is
// Swift's part.

#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <string.h>
#include <time.h>

#include "CTracker.h"
#include "notes.h"
#include "threads.h"

struct ct_recorder ct_own_recorder = {CT_RECORDER_VERSION, 0, bstrtrace_serve};
struct ct_recorder *ct_other_recorder;
bool ct_is_other_version;

// This note finds a copy that exports nothing, or was opened where `dlsym` does not look. Its
// content is the distance to the copy's `ct_own_recorder`.
__asm__(".pushsection .note.bstrtrace,\"a\",%note\n"
        ".balign 4\n"
        ".long 10, 8, 1\n"
        ".asciz \"bstrtrace\"\n"
        ".balign 4\n"
        ".quad ct_own_recorder - .\n"
        ".popsection\n");

static const char note_name[] = CT_NOTE_NAME;

// Returns a module's recorder, NULL when it is no copy of this library.
static struct ct_recorder *recorder_in(const struct dl_phdr_info *module) {
  return ct_noted_address(ct_find_note(module->dlpi_phdr, module->dlpi_phnum, module->dlpi_addr,
                                       note_name, sizeof note_name, CT_NOTE_RECORDER));
}

struct search {
  // The copy that records already, and the first copy in the loader's order.
  struct ct_recorder *recording, *first;
  // Whether the executable has a copy.
  bool is_executables;
  const char *other_version;
};

static int find_recorder(struct dl_phdr_info *module, size_t bytes, void *context) {
  (void)bytes;
  struct search *search = context;
  struct ct_recorder *recorder = recorder_in(module);
  if (!recorder) return 0;
  if (recorder->version != CT_RECORDER_VERSION) {
    if (recorder != &ct_own_recorder) search->other_version = module->dlpi_name;
    return 0;
  }
  // The place of a tracker that was loaded by a library in front is that library's: only the
  // executable comes before it.
  if (!search->first || (recorder == &ct_own_recorder && ct_front() && !search->is_executables))
    search->first = recorder;
  search->is_executables |= !module->dlpi_name[0];
  if (recorder->is_recording && !search->recording) search->recording = recorder;
  return 0;
}

// The mapping of the copy that records in place of this one.
static uintptr_t other_start, other_bytes;

// Chooses the copy that records already, or else the first in the loader's order, which is the
// executable's own copy if it has one, then a preloaded one.
__attribute__((constructor(101))) void ct_choose_recorder(void) {
  enum { OPEN, CHOOSING, CHOSEN };
  static uint32_t state, chooser;
  uint32_t seen = OPEN, self = ct_kernel_id();
  if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == CHOSEN) return;
  if (!__atomic_compare_exchange_n(&state, &seen, CHOOSING, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE)) {
    // The thread that chooses may need the loader's lock, which this thread may hold: give up after
    // a second.
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < 1000 && __atomic_load_n(&state, __ATOMIC_ACQUIRE) != CHOSEN &&
                    __atomic_load_n(&chooser, __ATOMIC_RELAXED) != self; i++)
      nanosleep(&pause, NULL);
    return;
  }
  __atomic_store_n(&chooser, self, __ATOMIC_RELAXED);
  struct search search = {0};
  dl_iterate_phdr(find_recorder, &search);
  struct ct_recorder *recorder = search.recording ? search.recording : search.first;
  if (recorder) recorder->is_recording = true;
  if (recorder && recorder != &ct_own_recorder) {
    struct ct_module module = ct_find_module((uintptr_t)recorder);
    other_start = module.start;
    other_bytes = module.end - module.start;
    ct_other_recorder = recorder;
    __atomic_fetch_or(&ct_free_mode, CT_ASK_RECORDER, __ATOMIC_RELAXED);
  } else if (search.other_version) {
    ct_is_other_version = true;
    ct_warn("bstrtrace: two versions of this library are in one process; '%.1000s' is the other one, "
            "and this one records nothing\n",
            search.other_version[0] ? search.other_version : "the executable");
  }
  __atomic_store_n(&state, CHOSEN, __ATOMIC_RELEASE);
}

bool ct_is_in_copy(const void *address) {
  struct dl_find_object found;
  if (_dl_find_object((void *)address, &found) != 0) return false;
  for (uint32_t type = CT_NOTE_RECORDER; type <= CT_NOTE_FRONT; type++) {
    struct ct_note note = ct_find_note_in_image(
        (uintptr_t)found.dlfo_map_start, (uintptr_t)found.dlfo_map_end,
        found.dlfo_link_map->l_addr, note_name, sizeof note_name, type);
    if (ct_noted_address(note)) return true;
  }
  return false;
}

bool ct_is_in_other_recorder(uintptr_t address) {
  return address - other_start < other_bytes;
}
