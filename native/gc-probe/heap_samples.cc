#include "heap_samples.h"

#include <algorithm>
#include <cstring>

#include "clock.h"

namespace gcspike {

void HeapSamples::Start(v8::Isolate* isolate, MappedLog* log, const ArrayBufferMeter* meter) {
  isolate_ = isolate;
  log_ = log;
  meter_ = meter;
  space_count_ = std::min(isolate->NumberOfHeapSpaces(), kMaxSpaces);
  for (size_t i = 0; i < space_count_; i++) {
    v8::HeapSpaceStatistics space;
    isolate->GetHeapSpaceStatistics(&space, i);
    log->FindOrAddString(space.space_name());
  }
}

void HeapSamples::Take() {
  const size_t bytes = HeapRecordBytes(space_count_);
  auto* record = static_cast<HeapRecord*>(log_->Reserve(bytes));
  if (record == nullptr) return;
  v8::HeapStatistics heap;
  isolate_->GetHeapStatistics(&heap);
  record->time_ns = NowNs();
  record->used = heap.used_heap_size();
  record->committed = heap.total_heap_size();
  record->limit = heap.heap_size_limit();
  record->external = heap.external_memory();
  record->malloced = heap.malloced_memory();
  record->array_buffers = meter_->installed() ? meter_->bytes() : UINT64_MAX;
  record->reserved = 0;
  auto* spaces = reinterpret_cast<HeapSpace*>(record + 1);
  for (size_t i = 0; i < space_count_; i++) {
    v8::HeapSpaceStatistics space;
    isolate_->GetHeapSpaceStatistics(&space, i);
    spaces[i].used = static_cast<uint32_t>(std::min<uint64_t>(space.space_used_size() / kSpaceUnit, UINT32_MAX));
    spaces[i].committed = static_cast<uint32_t>(std::min<uint64_t>(space.space_size() / kSpaceUnit, UINT32_MAX));
  }
  log_->Commit(bytes);
}

}  // namespace gcspike
