// Finds the BSTR functions in the symbol table of a module's file, and judges by it whether they
// may be replaced. Runs nothing of the module.

#define _GNU_SOURCE
#include "family.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CTracker.h"
#include "given.h"

// Larger sections are taken for corrupt.
#define MAX_SECTION_BYTES ((size_t)1 << 30)
// A function of the family is short; of a longer one the first bytes are compared.
#define MAX_COMPARED_BYTES 512

// A part of a file, in memory of its own: the file may be truncated while it is read.
struct part {
  void *start;
  size_t bytes;
};

static bool read_at(int file, void *room, size_t bytes, uint64_t offset) {
  for (size_t at = 0; at < bytes;) {
    ssize_t count = pread(file, (char *)room + at, bytes - at, (off_t)(offset + at));
    if (count <= 0) return false;
    at += (size_t)count;
  }
  return true;
}

static void drop(struct part *part) {
  if (part->start) munmap(part->start, part->bytes + 1);
  *part = (struct part){0};
}

// Reads a part, with a zero byte behind it.
static bool read_part(int file, uint64_t offset, uint64_t bytes, struct part *part) {
  *part = (struct part){0};
  if (bytes == 0 || bytes > MAX_SECTION_BYTES) return false;
  void *room =
      mmap(NULL, bytes + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return false;
  *part = (struct part){room, bytes};
  if (read_at(file, room, bytes, offset)) return true;
  drop(part);
  return false;
}

// The symbols of a file with their names: its own, or the dynamic ones of a stripped file.
struct symbols {
  struct part table, names;
};

// Returns false where there are none, or no name is a function's; unless `needs_all`.
static bool read_symbols(int file, const ElfW(Ehdr) *header, bool needs_all,
                         struct symbols *symbols) {
  struct part sections;
  if (header->e_shentsize != sizeof(ElfW(Shdr)) ||
      !read_part(file, header->e_shoff, (uint64_t)header->e_shnum * sizeof(ElfW(Shdr)), &sections))
    return false;
  const ElfW(Shdr) *first = sections.start, *found = NULL;
  for (const ElfW(Shdr) *section = first; section < first + header->e_shnum; section++)
    if (section->sh_link < header->e_shnum &&
        (section->sh_type == SHT_SYMTAB || (section->sh_type == SHT_DYNSYM && !found)))
      found = section;
  bool is_read = false;
  if (found) {
    const ElfW(Shdr) *names = &first[found->sh_link];
    // In most files no name is a function's: their symbols are not read.
    static const char text[] = "SysFreeString";
    is_read = read_part(file, names->sh_offset, names->sh_size, &symbols->names);
    bool may_have =
        needs_all ||
        (is_read && memmem(symbols->names.start, symbols->names.bytes, text, strlen(text)));
    if (is_read && (!may_have ||
                    !read_part(file, found->sh_offset, found->sh_size, &symbols->table))) {
      drop(&symbols->names);
      is_read = false;
    }
  }
  drop(&sections);
  return is_read;
}

// Returns whether a symbol may be a function's, at little cost: there are tens of thousands.
static bool may_be_function(const char *symbol) {
  if (symbol[0] == '_' && symbol[1] == 'Z') {
    symbol += symbol[2] == 'L' ? 3 : 2;
    while (symbol[0] >= '0' && symbol[0] <= '9') symbol++;
  }
  return symbol[0] == 'S' && symbol[1] == 'y' && symbol[2] == 's';
}

// Returns what follows the name of a function: "", or what a compiler put behind it, from the dot
// on. NULL where the symbol is no function's.
static const char *suffix_of(const char *symbol, enum ct_function *function,
                             enum ct_linkage *linkage) {
  char name[64];
  if (!may_be_function(symbol)) return NULL;
  bool is_static = strncmp(symbol, "_ZL", 3) == 0;
  const char *start = is_static ? symbol + 3 : symbol;
  size_t prefix = is_static ? 2 : 0, length = strcspn(start, ".@");
  if (prefix + length >= sizeof name) return NULL;
  // The C++ name of a static function has an L more.
  memcpy(name, "_Z", prefix);
  memcpy(name + prefix, start, length);
  name[prefix + length] = 0;
  if (!ct_find_name(name, function, linkage)) return NULL;
  return start[length] == '@' ? "" : start + length;
}

// Returns whether a function with such a suffix has the calling convention of the function itself:
// link-time optimisation numbers what is local.
static bool is_plain(const char *suffix) {
  return suffix[0] == 0 || strncmp(suffix, ".lto_priv.", 10) == 0;
}

// What is split off a function is reached from it alone.
static bool is_split_off(const char *suffix) { return strncmp(suffix, ".cold", 5) == 0; }

static bool allocates(enum ct_function function) {
  return function == CT_FUNCTION_SysAllocString || function == CT_FUNCTION_SysAllocStringLen ||
         function == CT_FUNCTION_SysAllocStringByteLen;
}

bool ct_add_reader(struct ct_family *family, enum ct_function function, uintptr_t address) {
  for (uint32_t i = 0; i < family->reader_count; i++)
    if (family->readers[i].address == address && family->readers[i].function == function)
      return true;
  if (family->reader_count == CT_MAX_READERS) return false;
  family->readers[family->reader_count].address = address;
  family->readers[family->reader_count++].function = function;
  return true;
}

// The symbols, with their names in bounds.
struct iteration {
  const struct symbols *symbols;
  size_t index;
  const char *name;
};

static const ElfW(Sym) *next_symbol(struct iteration *iteration) {
  const struct symbols *symbols = iteration->symbols;
  const ElfW(Sym) *table = symbols->table.start;
  for (;;) {
    if (iteration->index >= symbols->table.bytes / sizeof *table) return NULL;
    const ElfW(Sym) *symbol = &table[iteration->index++];
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE ||
        symbol->st_name >= symbols->names.bytes)
      continue;
    iteration->name = (const char *)symbols->names.start + symbol->st_name;
    return symbol;
  }
}

static bool is_code(const ElfW(Sym) *symbol) {
  unsigned type = ELF64_ST_TYPE(symbol->st_info);
  return type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC;
}

// Collects the functions; `CT_REPLACED` where nothing speaks against it yet.
static enum ct_replacement collect(const struct symbols *symbols, struct ct_family *family,
                                   bool *has_allocating) {
  enum ct_replacement result = CT_REPLACED;
  struct iteration all = {symbols, 0, NULL};
  for (const ElfW(Sym) *symbol; (symbol = next_symbol(&all)) != NULL;) {
    enum ct_function function;
    enum ct_linkage linkage;
    const char *suffix = is_code(symbol) ? suffix_of(all.name, &function, &linkage) : NULL;
    if (!suffix || is_split_off(suffix)) continue;
    bool is_whole = is_plain(suffix) && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC;
    uintptr_t address = family->module->l_addr + symbol->st_value;
    if (ct_only_reads(function)) {
      if (is_whole && !ct_add_reader(family, function, address) && result == CT_REPLACED)
        result = CT_IS_REPEATED;
      continue;
    }
    *has_allocating |= allocates(function);
    if (!is_whole) {
      result = CT_IS_CLONED;
      continue;
    }
    uintptr_t known = family->functions[function].address;
    // C++'s names without a character in them go with all others.
    if (linkage != CT_LINKAGE_c && family->linkage != CT_LINKAGE_NONE &&
        family->linkage != linkage && result != CT_IS_CLONED)
      result = CT_IS_OVERLOADED;
    if (known && known != address && result == CT_REPLACED) result = CT_IS_REPEATED;
    if (linkage != CT_LINKAGE_c) family->linkage = linkage;
    family->functions[function].address = address;
    family->functions[function].bytes =
        symbol->st_size > UINT32_MAX ? UINT32_MAX : (uint32_t)symbol->st_size;
  }
  return result;
}

static bool is_whole(const struct ct_family *family) {
  return family->functions[CT_FUNCTION_SysFreeString].address &&
         (family->functions[CT_FUNCTION_SysAllocString].address ||
          family->functions[CT_FUNCTION_SysAllocStringLen].address ||
          family->functions[CT_FUNCTION_SysAllocStringByteLen].address);
}

uintptr_t ct_jump_location(uintptr_t function) {
  static const uint8_t endbr64[] = {0xF3, 0x0F, 0x1E, 0xFA};
  bool is_marked = memcmp((const void *)function, endbr64, sizeof endbr64) == 0;
  return is_marked ? function + sizeof endbr64 : function;
}

// Returns whether the bytes of a function are in the module's code, and are those of the file.
static bool is_as_in_file(int file, const struct ct_loaded_file *loaded, uintptr_t address,
                          uint64_t bytes) {
  ElfW(Addr) value = address - loaded->module->l_addr;
  const ElfW(Phdr) *segment = ct_code_segment(loaded, value);
  if (!segment || bytes > segment->p_filesz - (value - segment->p_vaddr)) return false;
  uint8_t content[MAX_COMPARED_BYTES];
  if (bytes > sizeof content) bytes = sizeof content;
  return ct_is_readable(address, bytes) &&
         read_at(file, content, bytes, value - segment->p_vaddr + segment->p_offset) &&
         memcmp((const void *)address, content, bytes) == 0;
}

// Returns whether a function is too short for a call or a jump, so that it does nothing.
static bool does_nothing(uintptr_t function, size_t bytes) {
  const uint8_t *code = (const uint8_t *)ct_jump_location(function);
  const uint8_t *end = (const uint8_t *)function + bytes;
  // ret, or xor %eax, %eax and ret
  return (end - code == 1 && code[0] == 0xC3) ||
         (end - code == 3 && code[0] == 0x31 && code[1] == 0xC0 && code[2] == 0xC3);
}

// Returns whether another symbol is where a jump would be written.
static bool is_shared(const struct symbols *symbols, const struct ct_family *family) {
  struct iteration all = {symbols, 0, NULL};
  for (const ElfW(Sym) *symbol; (symbol = next_symbol(&all)) != NULL;) {
    if (!is_code(symbol)) continue;
    uintptr_t address = family->module->l_addr + symbol->st_value;
    for (int i = 0; i < CT_FUNCTION_COUNT; i++) {
      uintptr_t start = family->functions[i].address;
      if (!start || address < start || address >= ct_jump_location(start) + CT_JUMP_BYTES) continue;
      enum ct_function function;
      enum ct_linkage linkage;
      if (address == start && suffix_of(all.name, &function, &linkage) && (int)function == i)
        continue;
      return true;
    }
  }
  return false;
}

// Returns whether two of a family's functions are where one jump would be written: a function was
// given by another's address.
static bool overlap(const struct ct_family *family) {
  for (int i = 0; i < CT_FUNCTION_COUNT; i++)
    for (int j = 0; j < CT_FUNCTION_COUNT; j++) {
      uintptr_t start = family->functions[i].address, other = family->functions[j].address;
      if (i != j && start && other >= start && other < ct_jump_location(start) + CT_JUMP_BYTES)
        return true;
    }
  return false;
}

static enum ct_replacement judge(int file, const struct ct_loaded_file *loaded,
                                 const struct symbols *symbols, bool is_given,
                                 struct ct_family *family) {
  bool has_allocating = false;
  enum ct_replacement result = collect(symbols, family, &has_allocating);
  // Without a function that allocates no strings go unseen.
  if (!has_allocating && !is_given) return CT_NO_FAMILY;
  if (result != CT_REPLACED) return result;
  if (is_given) {
    result = ct_add_given(loaded, family);
    if (result != CT_REPLACED) return result;
  }
  if (!is_whole(family)) return CT_IS_IN_PARTS;
  for (uint32_t i = 0; i < family->reader_count; i++)
    if (!is_as_in_file(file, loaded, family->readers[i].address, 1)) return CT_IS_CHANGED;
  for (int i = 0; i < CT_FUNCTION_COUNT; i++) {
    uintptr_t address = family->functions[i].address;
    size_t bytes = family->functions[i].bytes;
    if (!address) continue;
    if (bytes == 0) return CT_IS_TOO_SMALL;
    if (!is_as_in_file(file, loaded, address, bytes)) return CT_IS_CHANGED;
    bool is_pin = i == CT_FUNCTION_SysAddRefString || i == CT_FUNCTION_SysReleaseString;
    if (is_pin && does_nothing(address, bytes)) family->functions[i].address = 0;
    else if (ct_jump_location(address) + CT_JUMP_BYTES > address + bytes) return CT_IS_TOO_SMALL;
  }
  return is_shared(symbols, family) || overlap(family) ? CT_IS_FOLDED : CT_REPLACED;
}

static enum ct_replacement find_in_file(int file, const struct link_map *module, const char *path,
                                   bool only_given, struct ct_family *family) {
  ElfW(Ehdr) header;
  if (!read_at(file, &header, sizeof header, 0) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
    return CT_NO_FAMILY;
  ElfW(Phdr) segments[64];
  struct ct_loaded_file loaded = {module, path, segments, 0};
  if (header.e_phentsize == sizeof *segments &&
      header.e_phnum <= sizeof segments / sizeof *segments &&
      read_at(file, segments, header.e_phnum * sizeof *segments, header.e_phoff))
    loaded.segment_count = header.e_phnum;
  bool is_given = ct_has_given(&loaded);
  if (only_given && !is_given) return CT_NO_FAMILY;
  struct symbols symbols = {0};
  enum ct_replacement result = CT_NO_FAMILY;
  if (read_symbols(file, &header, is_given, &symbols) || is_given)
    result = judge(file, &loaded, &symbols, is_given, family);
  drop(&symbols.table);
  drop(&symbols.names);
  return result;
}

enum ct_replacement ct_find_family(const struct link_map *module, const char *path,
                                   bool only_given, struct ct_family *family) {
  *family = (struct ct_family){.module = module};
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return CT_NO_FAMILY;
  struct stat status;
  enum ct_replacement result = CT_NO_FAMILY;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode))
    result = find_in_file(file, module, path, only_given, family);
  close(file);
  return result;
}
