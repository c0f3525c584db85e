// Heap statistics over time: one HeapRecord a call, taken on the isolate's thread.
#pragma once

#include <v8.h>

#include "array_buffer_meter.h"
#include "mapped_log.h"

namespace gcspike {

class HeapSamples {
 public:
  void Start(v8::Isolate* isolate, MappedLog* log, const ArrayBufferMeter* meter);
  void Take();

 private:
  v8::Isolate* isolate_ = nullptr;
  MappedLog* log_ = nullptr;
  const ArrayBufferMeter* meter_ = nullptr;
  size_t space_count_ = 0;
};

inline size_t HeapRecordBytes(size_t spaces) { return sizeof(HeapRecord) + spaces * sizeof(HeapSpace); }

}  // namespace gcspike
