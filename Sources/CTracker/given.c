// Keeps the functions that are given by their address in a module, and finds them there. Where a
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
// Longer entries of the frame information are taken for corrupt.
#define MAX_ENTRY_BYTES (1 << 16)
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

static bool is_in(const struct given *function, const struct ct_loaded_file *file) {
  if (strchr(function->module, '/')) return is_same_file(function->module, file->path);
  char room[4096];
  const char *name = name_of(file, room, sizeof room), *slash = strrchr(name, '/');
  return strcmp(slash ? slash + 1 : name, function->module) == 0 || has_build_id(file, function->module);
}

bool ct_has_given(const struct ct_loaded_file *file) {
  for (size_t i = 0; i < given_count; i++)
    if (is_in(&given[i], file)) return true;
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

// Bytes of an entry that are read one after the other: behind the end there are zeros.
struct reader {
  const uint8_t *at, *end;
  bool is_over;
};

static void skip(struct reader *reader, size_t bytes) {
  reader->is_over |= bytes > (size_t)(reader->end - reader->at);
  reader->at = reader->is_over ? reader->end : reader->at + bytes;
}

static uint8_t next_byte(struct reader *reader) {
  uint8_t byte = reader->at < reader->end ? *reader->at : 0;
  skip(reader, 1);
  return byte;
}

static void skip_number(struct reader *reader) {
  while (next_byte(reader) & 0x80) {}
}

// Returns the encoding of addresses in the entries of a CIE; 0xFF where it is not understood.
static uint8_t encoding_of(struct reader cie) {
  skip(&cie, 8);
  uint8_t version = next_byte(&cie);
  char letters[8];
  size_t count = 0;
  while ((letters[count] = (char)next_byte(&cie)) != 0)
    if (++count == sizeof letters) return 0xFF;
  if (letters[0] != 'z') return letters[0] == 0 && !cie.is_over ? 0 : 0xFF;
  skip_number(&cie);
  skip_number(&cie);
  if (version == 1) skip(&cie, 1);
  else skip_number(&cie);
  skip_number(&cie);
  uint8_t result = 0;
  for (size_t i = 1; i < count; i++) {
    uint8_t encoding = letters[i] == 'S' || letters[i] == 'B' ? 0 : next_byte(&cie);
    switch (letters[i]) {
    case 'R': result = encoding; break;
    case 'P':
      if (size_of(encoding) == 0) return 0xFF;
      skip(&cie, size_of(encoding));
      break;
    case 'L': case 'S': case 'B': break;
    default: return 0xFF;
    }
  }
  return cie.is_over ? 0xFF : result;
}

// Returns an entry of the frame information, with its length and id; `at` is NULL where it cannot
// be read.
static struct reader entry_at(const uint8_t *at) {
  uint32_t bytes = ct_is_readable((uintptr_t)at, 8) ? word_at(at) : 0;
  if (bytes < 4 || bytes > MAX_ENTRY_BYTES || !ct_is_readable((uintptr_t)at, 4 + (size_t)bytes))
    return (struct reader){0};
  return (struct reader){at, at + 4 + bytes, false};
}

// Returns the bytes of the code that an entry is for; 0 where it is not understood.
static uint64_t bytes_of_entry(const uint8_t *at) {
  struct reader entry = entry_at(at);
  if (!entry.at) return 0;
  struct reader cie = entry_at(at + 4 - word_at(at + 4));
  if (!cie.at || word_at(cie.at + 4) != 0) return 0;
  size_t size = size_of(encoding_of(cie));
  skip(&entry, 8 + size);
  if (size > (size_t)(entry.end - entry.at)) return 0;
  uint64_t bytes = 0;
  memcpy(&bytes, entry.at, size);
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
    if (!is_in(&given[i], file)) continue;
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
