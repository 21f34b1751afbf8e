// Which of several copies of this library in one process records: a copy that is preloaded, one that is linked,
// one inside the executable. Finds the others; what they do for each other is Swift's.

#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "CTracker.h"

struct ct_recorder ct_own_recorder = {CT_RECORDER_VERSION, 0, bstrtrace_serve};
struct ct_recorder *ct_other_recorder;
bool ct_is_other_version;

// By this note a copy is found that exports nothing, or was opened where `dlsym` does not look. It says how
// far from here its `ct_own_recorder` is.
__asm__(".pushsection .note.bstrtrace,\"a\",%note\n"
        ".balign 4\n"
        ".long 10, 8, 1\n"
        ".asciz \"bstrtrace\"\n"
        ".balign 4\n"
        ".quad ct_own_recorder - .\n"
        ".popsection\n");

static const char note_name[] = "bstrtrace";

// A module's recorder, NULL when it is no copy of this library.
static struct ct_recorder *recorder_in(const struct dl_phdr_info *module) {
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
    if (segment->p_type != PT_NOTE || segment->p_align > 4) continue;
    uintptr_t note = module->dlpi_addr + segment->p_vaddr;
    uintptr_t end = note + segment->p_memsz;
    while (end - note >= sizeof(ElfW(Nhdr))) {
      const ElfW(Nhdr) *head = (const ElfW(Nhdr) *)note;
      uintptr_t name = note + sizeof *head;
      uintptr_t content = name + ((head->n_namesz + 3u) & ~3u);
      uintptr_t next = content + ((head->n_descsz + 3u) & ~3u);
      if (next > end || next <= note) break;
      if (head->n_type == 1 && head->n_namesz == sizeof note_name && head->n_descsz == 8 &&
          memcmp((const void *)name, note_name, sizeof note_name) == 0) {
        int64_t distance;
        memcpy(&distance, (const void *)content, sizeof distance);
        return (struct ct_recorder *)(content + (uintptr_t)distance);
      }
      note = next;
    }
  }
  return NULL;
}

struct search {
  // The copy that records already, and the first that there is.
  struct ct_recorder *recording, *first;
  const char *other_version;
};

static int look_at(struct dl_phdr_info *module, size_t bytes, void *context) {
  (void)bytes;
  struct search *search = context;
  struct ct_recorder *recorder = recorder_in(module);
  if (!recorder) return 0;
  if (recorder->version != CT_RECORDER_VERSION) {
    if (recorder != &ct_own_recorder) search->other_version = module->dlpi_name;
    return 0;
  }
  if (!search->first) search->first = recorder;
  if (recorder->is_recording && !search->recording) search->recording = recorder;
  return 0;
}

// The first in the loader's order, which is the executable's own copy if it has one, then a preloaded one;
// of copies that are opened later, the one that was there.
__attribute__((constructor(101))) void ct_choose_recorder(void) {
  static bool chosen;
  if (__atomic_load_n(&chosen, __ATOMIC_ACQUIRE)) return;
  if (__atomic_exchange_n(&chosen, true, __ATOMIC_ACQ_REL)) return;
  struct search search = {0};
  dl_iterate_phdr(look_at, &search);
  struct ct_recorder *recorder = search.recording ? search.recording : search.first;
  if (recorder) recorder->is_recording = true;
  if (recorder && recorder != &ct_own_recorder) {
    ct_other_recorder = recorder;
    __atomic_fetch_or(&ct_free_mode, CT_ASK_RECORDER, __ATOMIC_RELAXED);
  } else if (search.other_version) {
    ct_is_other_version = true;
    char line[1200];
    int length = snprintf(line, sizeof line,
                          "bstrtrace: two versions of this library are in one process; '%.1000s' is the other "
                          "one, and this one records nothing\n",
                          search.other_version[0] ? search.other_version : "the executable");
    if (length <= 0 || (size_t)length >= sizeof line) return;
    ct_make_printable(line, (size_t)length - 1);
    if (write(2, line, (size_t)length) < 0) return;
  }
}

static int is_copy(struct dl_phdr_info *module, size_t bytes, void *context) {
  (void)bytes;
  uintptr_t *address = context;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
    if (segment->p_type == PT_LOAD &&
        *address - (module->dlpi_addr + segment->p_vaddr) < segment->p_memsz)
      return recorder_in(module) ? 1 : -1;
  }
  return 0;
}

bool ct_is_in_copy(const void *address) {
  uintptr_t place = (uintptr_t)address;
  return dl_iterate_phdr(is_copy, &place) > 0;
}
