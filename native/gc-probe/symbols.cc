#include "symbols.h"

#ifdef __linux__
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <cstring>
#include <vector>

namespace gcspike {
namespace {

#ifdef __linux__

bool AllFound(std::span<const Symbol> wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [](const Symbol& symbol) { return symbol.address != 0; });
}

// What a position-independent program's addresses have to be moved by: the program itself is the first object.
uintptr_t ProgramBias() {
  uintptr_t bias = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* object, size_t, void* data) {
        *static_cast<uintptr_t*>(data) = object->dlpi_addr;
        return 1;
      },
      &bias);
  return bias;
}

struct File {
  const char* data = nullptr;
  size_t size = 0;

  // `count` values of a type at an offset, nullptr where the file is shorter.
  template <typename T>
  const T* At(uint64_t offset, uint64_t count) const {
    if (offset > size || count > (size - offset) / sizeof(T)) return nullptr;
    return reinterpret_cast<const T*>(data + offset);
  }
};

// A program has some 150,000 symbols, most of which begin alike ("_ZN2v88internal"): eight characters behind that tell nearly
// all of them apart.
constexpr size_t kAlike = 15;

uint64_t CharactersAt(const char* text) {
  uint64_t characters;
  std::memcpy(&characters, text, sizeof(characters));
  return characters;
}

void FindInTable(const File& file, const Elf64_Shdr& table, const Elf64_Shdr& names, std::span<Symbol> wanted) {
  const uint64_t count = table.sh_size / sizeof(Elf64_Sym);
  const auto* symbols = file.At<Elf64_Sym>(table.sh_offset, count);
  const char* texts = file.At<char>(names.sh_offset, names.sh_size);
  if (symbols == nullptr || texts == nullptr || names.sh_size == 0 || texts[names.sh_size - 1] != 0) return;
  const uintptr_t bias = ProgramBias();
  std::vector<uint64_t> distinct;
  for (const Symbol& one : wanted) distinct.push_back(CharactersAt(one.name + kAlike));
  const uint64_t names_end = names.sh_size - std::min<uint64_t>(names.sh_size, kAlike + sizeof(uint64_t));
  for (uint64_t i = 0; i < count; i++) {
    const Elf64_Sym& symbol = symbols[i];
    const int type = ELF64_ST_TYPE(symbol.st_info);
    if ((type != STT_FUNC && type != STT_OBJECT) || symbol.st_value == 0 || symbol.st_name >= names_end) continue;
    const char* name = texts + symbol.st_name;
    const uint64_t characters = CharactersAt(name + kAlike);
    for (size_t w = 0; w < wanted.size(); w++) {
      if (characters == distinct[w] && strcmp(wanted[w].name, name) == 0) wanted[w].address = bias + symbol.st_value;
    }
  }
}

void FindInProgramsFile(std::span<Symbol> wanted) {
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    if (fd >= 0) close(fd);
    return;
  }
  File file;
  file.size = static_cast<size_t>(status.st_size);
  void* data = mmap(nullptr, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (data == MAP_FAILED) return;
  file.data = static_cast<const char*>(data);
  const auto* header = file.At<Elf64_Ehdr>(0, 1);
  if (header != nullptr && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_ident[EI_CLASS] == ELFCLASS64) {
    const auto* sections = file.At<Elf64_Shdr>(header->e_shoff, header->e_shnum);
    for (int i = 0; sections != nullptr && i < header->e_shnum; i++) {
      if (sections[i].sh_type != SHT_SYMTAB || sections[i].sh_link >= header->e_shnum) continue;
      FindInTable(file, sections[i], sections[sections[i].sh_link], wanted);
    }
  }
  munmap(data, file.size);
}

#endif

}  // namespace

void FindSymbols([[maybe_unused]] std::span<Symbol> wanted) {
#ifdef __linux__
  for (Symbol& symbol : wanted) symbol.address = reinterpret_cast<uintptr_t>(dlsym(RTLD_DEFAULT, symbol.name));
  if (!AllFound(wanted)) FindInProgramsFile(wanted);
#endif
}

}  // namespace gcspike
