#include "stack_table.h"

#include <cstring>

namespace gcspike {
namespace {

constexpr uint32_t kSlots = 1 << 14;

}  // namespace

void StackTable::Open(MappedLog* log) {
  known_.reset(new Known[kSlots]());
  log_ = log;
}

// Stacks are told apart by a 64-bit hash. When half of the slots are taken all is forgotten: a program whose stacks are
// all different, a compiler for example, writes some of them more than once.
uint32_t StackTable::NumberOf(const uint32_t* functions, uint32_t count) {
  if (log_ == nullptr || count == 0) return 0;
  uint64_t hash = 14695981039346656037ull;
  for (uint32_t i = 0; i < count; i++) hash = (hash ^ functions[i]) * 1099511628211ull;
  hash = (hash ^ (hash >> 32)) | 1;
  if (known_count_ >= kSlots / 2) {
    std::memset(known_.get(), 0, kSlots * sizeof(Known));
    known_count_ = 0;
  }
  uint32_t slot = static_cast<uint32_t>(hash >> 1) % kSlots;
  while (known_[slot].hash != 0) {
    if (known_[slot].hash == hash) return known_[slot].number;
    slot = (slot + 1) % kSlots;
  }
  const uint32_t number = Append(functions, count);
  if (number == 0) return 0;
  known_[slot] = {hash, number};
  known_count_++;
  return number;
}

uint32_t StackTable::Append(const uint32_t* functions, uint32_t count) {
  const size_t bytes = (sizeof(StackRecord) + count * sizeof(uint32_t) + 7) / 8 * 8;
  char* at = static_cast<char*>(log_->Reserve(bytes));
  if (at == nullptr) return 0;
  const StackRecord record = {static_cast<uint32_t>(bytes), count};
  std::memset(at, 0, bytes);
  std::memcpy(at, &record, sizeof(record));
  std::memcpy(at + sizeof(record), functions, count * sizeof(uint32_t));
  log_->Commit(bytes);
  return ++written_;
}

}  // namespace gcspike
