#include "array_buffer_meter.h"

#include <dlfcn.h>

#include <cstring>

namespace gcspike {
namespace {

// Slots of v8::ArrayBuffer::Allocator's virtual function table, the same in V8 11 to 14 (Itanium C++ ABI: the two
// destructors come first).
constexpr int kAllocate = 2;
constexpr int kAllocateUninitialized = 3;
constexpr int kFree = 4;
// Node's allocator adds functions of its own behind V8's; copying past the end only copies what follows.
constexpr size_t kSlots = 16;
// What the compiler puts before the first slot: offset to top, type info. Ours has the meter before those.
constexpr size_t kPrefix = 2;

using AllocateFunction = void* (*)(void*, size_t);
using FreeFunction = void (*)(void*, void*, size_t);

struct Meter {
  ArrayBufferMeter* meter;
  void** original;
};

Meter MeterOf(void* allocator) {
  void** table = *static_cast<void***>(allocator);
  return {static_cast<ArrayBufferMeter*>(table[-3]), static_cast<void**>(table[-4])};
}

template <int slot>
void* Allocate(void* allocator, size_t bytes) {
  const Meter m = MeterOf(allocator);
  void* result = reinterpret_cast<AllocateFunction>(m.original[slot])(allocator, bytes);
  if (result == nullptr) return nullptr;
  m.meter->Add(static_cast<int64_t>(bytes));
  m.meter->sampler().Allocated(result, bytes);
  return result;
}

void Free(void* allocator, void* data, size_t bytes) {
  const Meter m = MeterOf(allocator);
  if (data != nullptr) m.meter->sampler().Freed(data);
  reinterpret_cast<FreeFunction>(m.original[kFree])(allocator, data, bytes);
  if (data != nullptr) m.meter->Add(-static_cast<int64_t>(bytes));
}

}  // namespace

ArrayBufferMeter* ArrayBufferMeter::OfThisThread() {
  thread_local ArrayBufferMeter* const meter = new ArrayBufferMeter;
  return meter;
}

bool ArrayBufferMeter::Install(v8::Isolate* isolate, uint64_t live_bytes) {
  void* allocator = isolate->GetArrayBufferAllocator();
  char* known = static_cast<char*>(dlsym(RTLD_DEFAULT, "_ZTVN4node24NodeArrayBufferAllocatorE"));
  if (allocator == nullptr || known == nullptr) return false;
  void** original = *static_cast<void***>(allocator);
  if (reinterpret_cast<char*>(original) != known + kPrefix * sizeof(void*)) return false;
  bytes_.store(live_bytes, std::memory_order_relaxed);
  if (table_ == nullptr) table_ = CopyTable(original);
  allocator_ = allocator;
  original_ = original;
  // Released: another thread that frees a buffer must not see the table before what is in it.
  __atomic_store_n(static_cast<void***>(allocator), table_, __ATOMIC_RELEASE);
  return true;
}

// Never freed, and put in place again by the next Install: another thread may be about to call through it.
void** ArrayBufferMeter::CopyTable(void** original) {
  void** const copy = new void*[2 + kPrefix + kSlots];
  copy[0] = original;
  copy[1] = this;
  std::memcpy(copy + 2, original - kPrefix, (kPrefix + kSlots) * sizeof(void*));
  void** const table = copy + 2 + kPrefix;
  table[kAllocate] = reinterpret_cast<void*>(&Allocate<kAllocate>);
  table[kAllocateUninitialized] = reinterpret_cast<void*>(&Allocate<kAllocateUninitialized>);
  table[kFree] = reinterpret_cast<void*>(&Free);
  return table;
}

void ArrayBufferMeter::Remove() {
  if (allocator_ != nullptr && *static_cast<void***>(allocator_) == table_) {
    __atomic_store_n(static_cast<void***>(allocator_), original_, __ATOMIC_RELEASE);
  }
  allocator_ = nullptr;
}

}  // namespace gcspike
