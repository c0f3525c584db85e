#include "array_buffer_meter.h"

#include <dlfcn.h>

#include <atomic>
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

// Node's own table, the same for all of its allocators.
std::atomic<void**> node_table{nullptr};

// The meter of this allocator; null where it was taken out after another thread had found its way here through our table.
ArrayBufferMeter* MeterOf(void* allocator) {
  void** const table = __atomic_load_n(static_cast<void***>(allocator), __ATOMIC_ACQUIRE);
  return table == node_table.load(std::memory_order_acquire) ? nullptr : static_cast<ArrayBufferMeter*>(table[-3]);
}

template <int slot>
void* Allocate(void* allocator, size_t bytes) {
  void* result = reinterpret_cast<AllocateFunction>(node_table.load(std::memory_order_acquire)[slot])(allocator, bytes);
  ArrayBufferMeter* const meter = MeterOf(allocator);
  if (result == nullptr || meter == nullptr) return result;
  meter->Add(static_cast<int64_t>(bytes));
  meter->sampler().Allocated(result, bytes);
  return result;
}

void Free(void* allocator, void* data, size_t bytes) {
  ArrayBufferMeter* const meter = data == nullptr ? nullptr : MeterOf(allocator);
  if (meter != nullptr) meter->sampler().Freed(data);
  reinterpret_cast<FreeFunction>(node_table.load(std::memory_order_acquire)[kFree])(allocator, data, bytes);
  if (meter != nullptr) meter->Add(-static_cast<int64_t>(bytes));
}

}  // namespace

ArrayBufferMeter* ArrayBufferMeter::OfThisThread() {
  thread_local ArrayBufferMeter* const meter = new ArrayBufferMeter;
  return meter;
}

bool ArrayBufferMeter::Install(v8::Isolate* isolate, uint64_t live_bytes) {
  if (users_ > 0) {
    users_++;
    return true;
  }
  void* allocator = isolate->GetArrayBufferAllocator();
  char* known = static_cast<char*>(dlsym(RTLD_DEFAULT, "_ZTVN4node24NodeArrayBufferAllocatorE"));
  if (allocator == nullptr || known == nullptr) return false;
  void** original = *static_cast<void***>(allocator);
  if (reinterpret_cast<char*>(original) != known + kPrefix * sizeof(void*)) return false;
  bytes_.store(live_bytes, std::memory_order_relaxed);
  node_table.store(original, std::memory_order_release);
  if (table_ == nullptr) table_ = CopyTable(original);
  users_ = 1;
  allocator_ = allocator;
  original_ = original;
  // Released: another thread that frees a buffer must not see the table before what is in it.
  __atomic_store_n(static_cast<void***>(allocator), table_, __ATOMIC_RELEASE);
  return true;
}

// Never freed, and put in place again by the next Install: another thread may be about to call through it.
void** ArrayBufferMeter::CopyTable(void** original) {
  void** const copy = new void*[1 + kPrefix + kSlots];
  copy[0] = this;
  std::memcpy(copy + 1, original - kPrefix, (kPrefix + kSlots) * sizeof(void*));
  void** const table = copy + 1 + kPrefix;
  table[kAllocate] = reinterpret_cast<void*>(&Allocate<kAllocate>);
  table[kAllocateUninitialized] = reinterpret_cast<void*>(&Allocate<kAllocateUninitialized>);
  table[kFree] = reinterpret_cast<void*>(&Free);
  return table;
}

void ArrayBufferMeter::Remove() {
  if (--users_ > 0) return;
  if (*static_cast<void***>(allocator_) == table_) {
    __atomic_store_n(static_cast<void***>(allocator_), original_, __ATOMIC_RELEASE);
  }
  allocator_ = nullptr;
}

}  // namespace gcspike
