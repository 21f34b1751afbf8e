// Finds an ELF note in a loaded module. Reads only memory that a segment maps readable: a header
// may be wrong.

#ifndef CT_NOTES_H
#define CT_NOTES_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "CTracker.h"

/// The name of this project's notes, and their types: of a copy, and of the library that loads one.
/// The content is the distance from it to the `ct_recorder`, or to the `ct_front`.
#define CT_NOTE_NAME "bstrtrace"
enum ct_note_type { CT_NOTE_RECORDER = 1, CT_NOTE_FRONT = 2 };

/// A note's content.
struct ct_note {
  /// NULL where there is no such note.
  const uint8_t *content;
  uint32_t bytes;
};

/// Returns the address that a note of this project's names; NULL for none.
static inline void *ct_noted_address(struct ct_note note) {
  if (!note.content || note.bytes != 8) return NULL;
  int64_t distance;
  memcpy(&distance, note.content, sizeof distance);
  return (void *)((uintptr_t)note.content + (uintptr_t)distance);
}

/// Returns whether a readable segment of the file maps `bytes` bytes at `start`.
static inline bool ct_is_mapped(const ElfW(Phdr) *segments, int count, ElfW(Addr) start, ElfW(Xword) bytes) {
  for (int i = 0; i < count; i++) {
    const ElfW(Phdr) *segment = &segments[i];
    if (segment->p_type == PT_LOAD && (segment->p_flags & PF_R) && start >= segment->p_vaddr &&
        bytes <= segment->p_filesz && start - segment->p_vaddr <= segment->p_filesz - bytes)
      return true;
  }
  return false;
}

/// Returns the note of a name and a type among notes, which are aligned to 4 bytes.
static inline struct ct_note ct_find_note_in(const uint8_t *notes, size_t bytes, const char *name,
                                             uint32_t name_bytes, uint32_t type) {
  while (bytes >= sizeof(ElfW(Nhdr))) {
    const ElfW(Nhdr) *head = (const ElfW(Nhdr) *)notes;
    size_t left = bytes - sizeof *head;
    size_t text_bytes = ((size_t)head->n_namesz + 3) & ~(size_t)3;
    size_t content_bytes = ((size_t)head->n_descsz + 3) & ~(size_t)3;
    if (text_bytes > left || content_bytes > left - text_bytes) break;
    const uint8_t *text = notes + sizeof *head;
    if (head->n_type == type && head->n_namesz == name_bytes && memcmp(text, name, name_bytes) == 0)
      return (struct ct_note){text + text_bytes, head->n_descsz};
    notes = text + text_bytes + content_bytes;
    bytes = left - text_bytes - content_bytes;
  }
  return (struct ct_note){0};
}

/// Returns the note, likewise, of the module whose program headers these are.
static inline struct ct_note ct_find_note(const ElfW(Phdr) *segments, int count, uintptr_t bias,
                                          const char *name, uint32_t name_bytes, uint32_t type) {
  for (int i = 0; i < count; i++) {
    const ElfW(Phdr) *segment = &segments[i];
    if (segment->p_type != PT_NOTE || segment->p_align > 4 ||
        !ct_is_mapped(segments, count, segment->p_vaddr, segment->p_memsz))
      continue;
    struct ct_note note = ct_find_note_in((const uint8_t *)(bias + segment->p_vaddr),
                                          segment->p_memsz, name, name_bytes, type);
    if (note.content) return note;
  }
  return (struct ct_note){0};
}

/// Returns the note, likewise, of the module that is mapped from `start` to `end`.
static inline struct ct_note ct_find_note_in_image(uintptr_t start, uintptr_t end, uintptr_t bias,
                                                   const char *name, uint32_t name_bytes,
                                                   uint32_t type) {
  const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)start;
  if (end - start < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_phoff > end - start ||
      header->e_phnum > (end - start - header->e_phoff) / sizeof(ElfW(Phdr)))
    return (struct ct_note){0};
  // Program headers that a tool moved to the file's end are mapped elsewhere.
  if (header->e_phoff != sizeof *header &&
      !ct_is_readable(start + header->e_phoff, header->e_phnum * sizeof(ElfW(Phdr))))
    return (struct ct_note){0};
  return ct_find_note((const ElfW(Phdr) *)(start + header->e_phoff), header->e_phnum, bias, name,
                      name_bytes, type);
}

#endif
