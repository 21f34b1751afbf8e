// Keeps the functions that are given by their place in a module, and finds them there. Where a
// function starts, and how long it is, a module's unwind information tells, which stripping leaves.

#define _GNU_SOURCE
#include "given.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CTracker.h"
#include "notes.h"

#define MAX_GIVEN 512
static struct given {
  // The name of a file, a path, or a build-id in hexadecimal.
  const char *module;
  enum ct_function function;
  ElfW(Addr) offset;
} given[MAX_GIVEN];
static size_t given_count;

void ct_give_function(const char *module, const char *function, uint64_t offset) {
  enum ct_function found = ct_function_named(function);
  char *copy = found != CT_FUNCTION_COUNT && given_count < MAX_GIVEN ? strdup(module) : NULL;
  if (copy) given[given_count++] = (struct given){copy, found, offset};
}

// MARK: the module

static bool is_same_file(const char *path, const char *other) {
  struct stat status, others;
  return stat(path, &status) == 0 && stat(other, &others) == 0 &&
         status.st_dev == others.st_dev && status.st_ino == others.st_ino;
}

// Returns the path that a module has for people: that of the program is a link.
static const char *name_of(const struct ct_loaded_file *file, char *room, size_t bytes) {
  if (file->module != _r_debug.r_map) return file->path;
  ssize_t length = readlink("/proc/self/exe", room, bytes - 1);
  if (length <= 0) return file->path;
  room[length] = 0;
  return room;
}

static bool has_build_id(const struct ct_loaded_file *file, const char *text) {
  size_t digits = strlen(text);
  if (digits < 16 || digits % 2 != 0 || strspn(text, "0123456789abcdef") != digits) return false;
  for (int i = 0; i < file->segment_count; i++) {
    const ElfW(Phdr) *segment = &file->segments[i];
    uintptr_t start = file->module->l_addr + segment->p_vaddr;
    if (segment->p_type != PT_NOTE || segment->p_align > 4 ||
        !ct_is_readable(start, segment->p_memsz))
      continue;
    struct ct_note note =
        ct_find_note_in((const uint8_t *)start, segment->p_memsz, "GNU", 4, NT_GNU_BUILD_ID);
    if (!note.content) continue;
    if (note.bytes != digits / 2) return false;
    for (size_t at = 0; at < digits; at++) {
      uint8_t half = note.content[at / 2] >> (at % 2 ? 0 : 4) & 15;
      if (text[at] != "0123456789abcdef"[half]) return false;
    }
    return true;
  }
  return false;
}

static bool is_meant(const struct given *place, const struct ct_loaded_file *file) {
  if (strchr(place->module, '/')) return is_same_file(place->module, file->path);
  char room[4096];
  const char *name = name_of(file, room, sizeof room), *slash = strrchr(name, '/');
  return strcmp(slash ? slash + 1 : name, place->module) == 0 || has_build_id(file, place->module);
}

bool ct_has_given(const struct ct_loaded_file *file) {
  for (size_t i = 0; i < given_count; i++)
    if (is_meant(&given[i], file)) return true;
  return false;
}

// MARK: where functions start

// The encodings that linkers write: of 4 bytes, relative to where they stand, or to the table.
enum { FROM_HERE = 0x1B, COUNT = 0x03, FROM_TABLE = 0x3B };

struct eh_frame_header {
  uint8_t version, frame_encoding, count_encoding, table_encoding;
  int32_t frame;
  uint32_t count;
  struct {
    int32_t start, entry;
  } table[];
};

static uint32_t word_at(const uint8_t *at) {
  uint32_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

static size_t size_of(uint8_t encoding) {
  switch (encoding & 7) {
  case 0: case 4: return 8;
  case 3: return 4;
  default: return 0;
  }
}

static const uint8_t *past_number(const uint8_t *at) {
  while (*at & 0x80) at++;
  return at + 1;
}

// Returns the encoding of addresses in the entries of a CIE; 0xFF where it is not understood.
static uint8_t encoding_of(const uint8_t *cie) {
  const char *letters = (const char *)cie + 9;
  uint8_t version = cie[8];
  if (strnlen(letters, 8) == 8) return 0xFF;
  if (letters[0] != 'z') return letters[0] == 0 ? 0 : 0xFF;
  const uint8_t *at = cie + 9 + strlen(letters) + 1;
  at = past_number(past_number(at));
  at = version == 1 ? at + 1 : past_number(at);
  at = past_number(at);
  while (*++letters) {
    switch (*letters) {
    case 'R': return *at;
    case 'L': at++; break;
    case 'P':
      if (size_of(*at) == 0) return 0xFF;
      at += 1 + size_of(*at);
      break;
    case 'S': case 'B': break;
    default: return 0xFF;
    }
  }
  return 0;
}

// Returns the bytes of the code that an entry is for; 0 where it is not understood.
static uint64_t bytes_of_entry(const uint8_t *entry) {
  if (!ct_is_readable((uintptr_t)entry, 32) || word_at(entry) < 12 || word_at(entry) > INT32_MAX)
    return 0;
  const uint8_t *cie = entry + 4 - word_at(entry + 4);
  if (!ct_is_readable((uintptr_t)cie, 40)) return 0;
  size_t size = size_of(encoding_of(cie));
  uint64_t bytes = 0;
  memcpy(&bytes, entry + 8 + size, size);
  return bytes;
}

// Returns the bytes of the function that starts at an address; 0 where none does, as far as the
// unwind information shows.
static uint32_t bytes_of_function(const struct ct_loaded_file *file, uintptr_t address) {
  const ElfW(Phdr) *segment = file->segments, *end = segment + file->segment_count;
  while (segment < end && segment->p_type != PT_GNU_EH_FRAME) segment++;
  if (segment == end) return 0;
  uintptr_t start = file->module->l_addr + segment->p_vaddr;
  const struct eh_frame_header *header = (const struct eh_frame_header *)start;
  if (segment->p_memsz < sizeof *header || !ct_is_readable(start, segment->p_memsz) ||
      header->version != 1 || header->frame_encoding != FROM_HERE ||
      header->count_encoding != COUNT || header->table_encoding != FROM_TABLE ||
      header->count > (segment->p_memsz - sizeof *header) / sizeof *header->table)
    return 0;
  size_t low = 0, high = header->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    uintptr_t found = start + (uintptr_t)(intptr_t)header->table[middle].start;
    if (found == address) {
      uint64_t bytes = bytes_of_entry(
          (const uint8_t *)start + (intptr_t)header->table[middle].entry);
      return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
    }
    if (found < address) low = middle + 1;
    else high = middle;
  }
  return 0;
}

const ElfW(Phdr) *ct_code_segment(const struct ct_loaded_file *file, ElfW(Addr) value) {
  for (int i = 0; i < file->segment_count; i++) {
    const ElfW(Phdr) *segment = &file->segments[i];
    if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) && value >= segment->p_vaddr &&
        value - segment->p_vaddr < segment->p_filesz)
      return segment;
  }
  return NULL;
}

enum ct_replacement ct_add_given(const struct ct_loaded_file *file, struct ct_family *family) {
  for (size_t i = 0; i < given_count; i++) {
    if (!is_meant(&given[i], file)) continue;
    enum ct_function function = given[i].function;
    uintptr_t address = file->module->l_addr + given[i].offset;
    if (!ct_code_segment(file, given[i].offset)) return CT_IS_NO_CODE;
    uint32_t bytes = bytes_of_function(file, address);
    if (bytes == 0) return CT_IS_NO_START;
    if (ct_only_reads(function)) {
      if (!ct_add_reader(family, function, address)) return CT_IS_REPEATED;
      continue;
    }
    uintptr_t known = family->functions[function].address;
    if (known && known != address) return CT_IS_REPEATED;
    family->functions[function].address = address;
    if (!known) family->functions[function].bytes = bytes;
  }
  return CT_REPLACED;
}
