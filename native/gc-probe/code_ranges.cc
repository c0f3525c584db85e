#include "code_ranges.h"

#ifdef __linux__
#include <link.h>
#endif

namespace gcspike {

#ifdef __linux__
namespace {

struct Search {
  uintptr_t address;
  uintptr_t start, end;
};

// Stops at the executable segment that holds the address.
int FindSegment(dl_phdr_info* object, size_t, void* data) {
  auto* search = static_cast<Search*>(data);
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const auto& segment = object->dlpi_phdr[i];
    const uintptr_t start = object->dlpi_addr + segment.p_vaddr;
    const uintptr_t end = start + segment.p_memsz;
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    if (search->address < start || search->address >= end) continue;
    search->start = start;
    search->end = end;
    return 1;
  }
  return 0;
}

}  // namespace
#endif

void CodeRanges::Load(v8::Isolate* isolate) {
  void* code = nullptr;
  const void* builtins = nullptr;
  size_t code_bytes = 0, builtins_bytes = 0;
  isolate->GetCodeRange(&code, &code_bytes);
  isolate->GetEmbeddedCodeRange(&builtins, &builtins_bytes);
  code_ = {reinterpret_cast<uintptr_t>(code), reinterpret_cast<uintptr_t>(code) + code_bytes};
  builtins_ = {reinterpret_cast<uintptr_t>(builtins), reinterpret_cast<uintptr_t>(builtins) + builtins_bytes};
#ifdef __linux__
  const std::array<uintptr_t, 2> members = {reinterpret_cast<uintptr_t>(&v8::V8::GetVersion),
                                            reinterpret_cast<uintptr_t>(&FindSegment)};
  texts_known_ = true;
  for (size_t i = 0; i < members.size(); i++) {
    Search search = {members[i], 0, 0};
    texts_known_ = dl_iterate_phdr(FindSegment, &search) == 1 && texts_known_;
    texts_[i] = {search.start, search.end};
  }
#endif
}

bool CodeRanges::IsWalkable(uintptr_t pc) const {
  if (!texts_known_ || IsV8(pc)) return true;
  for (const Range& text : texts_) {
    if (text.Has(pc)) return true;
  }
  return false;
}

}  // namespace gcspike
