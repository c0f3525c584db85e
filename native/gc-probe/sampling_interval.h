// How far apart samples lie: at random, so that every byte has the same chance, and far enough that their number a second
// stays within bounds.
#pragma once

#include <cstdint>

namespace gcspike {

class SamplingInterval {
 public:
  static constexpr uint64_t kLeast = 64 << 10;

  // `least`: mean bytes between samples, never less.
  void Start(uint64_t least, uint64_t now_ns);

  // Bytes up to the next sample.
  uint64_t Next();
  // Bytes that the sample stands for that the last Next led to.
  uint64_t StandsFor(uint64_t bytes) const;
  // After each sample, and now and then without one.
  void Count(uint64_t now_ns);
  void Adapt(uint64_t now_ns);
  // Too many samples are alive: from now on half as many.
  void RaiseLeast();

 private:
  static constexpr uint64_t kMost = 64 << 20;

  uint64_t least_ = 0;
  uint64_t interval_ = 0;
  uint64_t drawn_ = 0;
  uint64_t random_ = 0;
  uint64_t since_ns_ = 0;
  uint32_t count_ = 0;
};

}  // namespace gcspike
