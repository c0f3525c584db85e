#include "symbols.h"

#ifdef __linux__
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include <cstring>

namespace gcspike {

#ifdef __linux__
namespace {

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

// The program's file, mapped.
class ProgramFile {
 public:
  ProgramFile() {
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0) {
      file_.size = static_cast<size_t>(status.st_size);
      void* data = mmap(nullptr, file_.size, PROT_READ, MAP_PRIVATE, fd, 0);
      if (data != MAP_FAILED) file_.data = static_cast<const char*>(data);
    }
    if (fd >= 0) close(fd);
    if (file_.data == nullptr) return;
    const auto* header = file_.At<Elf64_Ehdr>(0, 1);
    if (header == nullptr || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
    if (header->e_ident[EI_CLASS] != ELFCLASS64) return;
    const auto* sections = file_.At<Elf64_Shdr>(header->e_shoff, header->e_shnum);
    for (int i = 0; sections != nullptr && i < header->e_shnum; i++) {
      if (sections[i].sh_type != SHT_SYMTAB || sections[i].sh_link >= header->e_shnum) continue;
      table_ = &sections[i];
      names_ = &sections[sections[i].sh_link];
    }
  }
  ~ProgramFile() {
    if (file_.data != nullptr) munmap(const_cast<char*>(file_.data), file_.size);
  }
  ProgramFile(const ProgramFile&) = delete;
  ProgramFile& operator=(const ProgramFile&) = delete;

  bool has_symbols() const { return table_ != nullptr; }

  uintptr_t Find(const char* wanted) const {
    if (table_ == nullptr) return 0;
    const uint64_t count = table_->sh_size / sizeof(Elf64_Sym);
    const auto* symbols = file_.At<Elf64_Sym>(table_->sh_offset, count);
    const char* names = file_.At<char>(names_->sh_offset, names_->sh_size);
    if (symbols == nullptr || names == nullptr || names_->sh_size == 0 || names[names_->sh_size - 1] != 0) return 0;
    for (uint64_t i = 0; i < count; i++) {
      const Elf64_Sym& symbol = symbols[i];
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_value == 0 || symbol.st_name >= names_->sh_size) continue;
      if (strcmp(wanted, names + symbol.st_name) == 0) return ProgramBias() + symbol.st_value;
    }
    return 0;
  }

 private:
  File file_;
  const Elf64_Shdr* table_ = nullptr;
  const Elf64_Shdr* names_ = nullptr;
};

}  // namespace

uintptr_t FindExported(const char* name) { return reinterpret_cast<uintptr_t>(dlsym(RTLD_DEFAULT, name)); }

bool HasSymbolTable(const void* address) {
  Dl_info found, program;
  const auto* const headers = reinterpret_cast<const void*>(getauxval(AT_PHDR));
  if (dladdr(address, &found) == 0 || dladdr(headers, &program) == 0) return false;
  return found.dli_fbase == program.dli_fbase && ProgramFile().has_symbols();
}

uintptr_t FindInSymbolTable(const char* name) { return ProgramFile().Find(name); }

#else

uintptr_t FindExported(const char*) { return 0; }
bool HasSymbolTable(const void*) { return false; }
uintptr_t FindInSymbolTable(const char*) { return 0; }

#endif

}  // namespace gcspike
