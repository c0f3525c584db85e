#include "sampling_interval.h"

#include <algorithm>
#include <cmath>

namespace gcspike {
namespace {

// So many samples in less than `kShortestNs` (1,000 a second) double the interval; so many not yet after `kLongestNs` (250 a
// second) halve it.
constexpr uint32_t kBatch = 100;
constexpr uint64_t kShortestNs = 100'000'000;
constexpr uint64_t kLongestNs = 400'000'000;

}  // namespace

void SamplingInterval::Start(uint64_t least, uint64_t now_ns) {
  least_ = interval_ = drawn_ = std::clamp<uint64_t>(least, kLeast, kMost);
  random_ = (now_ns * 0x9e3779b97f4a7c15ull) | 1;
  since_ns_ = now_ns;
}

uint64_t SamplingInterval::Next() {
  drawn_ = interval_;
  // xorshift64*
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  const double uniform = (static_cast<double>((random_ * 2685821657736338717ull) >> 11) + 1) / 9007199254740993.0;
  // V8 takes 31 bits.
  return std::clamp<uint64_t>(static_cast<uint64_t>(-std::log(uniform) * static_cast<double>(drawn_)), 8, INT32_MAX);
}

uint64_t SamplingInterval::StandsFor(uint64_t bytes) const {
  const double size = static_cast<double>(bytes);
  return static_cast<uint64_t>(size / -std::expm1(-size / static_cast<double>(drawn_)) + 0.5);
}

void SamplingInterval::Count(uint64_t now_ns) {
  count_++;
  Adapt(now_ns);
}

void SamplingInterval::Adapt(uint64_t now_ns) {
  const uint64_t took_ns = now_ns - since_ns_;
  if (count_ < kBatch && took_ns < kLongestNs) return;
  interval_ = count_ < kBatch ? interval_ / 2 : took_ns < kShortestNs ? interval_ * 2 : interval_;
  interval_ = std::clamp(interval_, least_, kMost);
  since_ns_ = now_ns;
  count_ = 0;
}

void SamplingInterval::RaiseLeast() {
  least_ = std::min(least_ * 2, kMost);
  interval_ = std::max(interval_, least_);
}

}  // namespace gcspike
