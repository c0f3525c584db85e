// What the recordings of one isolate have, each its own: at most kMostSessions, in the order in which they came. No allocation.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace gcspike {

inline constexpr size_t kMostSessions = 4;

template <typename T>
class Few {
 public:
  // Not where it is full.
  void Add(const T& item) { items_[size_++] = item; }
  template <typename Predicate>
  void RemoveIf(Predicate predicate) {
    size_ = static_cast<size_t>(std::remove_if(begin(), end(), predicate) - begin());
  }
  bool is_full() const { return size_ == kMostSessions; }
  bool empty() const { return size_ == 0; }
  T* begin() { return items_.data(); }
  T* end() { return items_.data() + size_; }

 private:
  std::array<T, kMostSessions> items_{};
  size_t size_ = 0;
};

}  // namespace gcspike
