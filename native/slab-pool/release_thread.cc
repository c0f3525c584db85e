#include "release_thread.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

namespace gcspike {

// How soon a loop that was busy is looked at again: reading its state costs some 5 us, and what waits is only memory.
constexpr std::chrono::milliseconds kLookAgain{2};

ReleaseThread& ReleaseThread::Instance() {
  static auto* const thread = new ReleaseThread();
  return *thread;
}

void ReleaseThread::Queue(ReleaseRange range) {
  const std::lock_guard lock(mutex_);
  ranges_.push_back(std::move(range));
  if (!is_running_) {
    is_running_ = true;
    std::thread([this] { Run(); }).detach();
  }
  queued_.notify_one();
}

size_t ReleaseThread::Pending(uint32_t owner) {
  const std::lock_guard lock(mutex_);
  const auto waiting = std::count_if(ranges_.begin(), ranges_.end(), [owner](const auto& r) { return r.owner == owner; });
  return static_cast<size_t>(waiting) + (busy_with_ == owner ? 1 : 0);
}

size_t ReleaseThread::Withdraw(uint32_t owner) {
  std::unique_lock lock(mutex_);
  const size_t taken = std::erase_if(ranges_, [owner](const auto& range) { return range.owner == owner; });
  done_.wait(lock, [this, owner] { return busy_with_ != owner; });
  return taken;
}

// The state is read anew for each range that is given back, so that a loop that wakes meets one range at most. Of each owner only the
// first range is looked at: its loop may begin to wait meanwhile, and the second must not go before the first.
std::deque<ReleaseRange>::iterator ReleaseThread::FirstOfWaitingLoop() {
  std::set<uint32_t> busy;
  return std::find_if(ranges_.begin(), ranges_.end(), [&busy](const auto& range) {
    if (busy.contains(range.owner)) return false;
    if (range.loop.IsWaitingForEvents()) return true;
    busy.insert(range.owner);
    return false;
  });
}

void ReleaseThread::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    queued_.wait(lock, [this] { return !ranges_.empty(); });
    const auto found = FirstOfWaitingLoop();
    if (found == ranges_.end()) {
      lock.unlock();
      std::this_thread::sleep_for(kLookAgain);
      lock.lock();
      continue;
    }
    ReleaseRange range = std::move(*found);
    ranges_.erase(found);
    busy_with_ = range.owner;
    lock.unlock();
    range.mapping->Release(range.offset, range.length);
    // Let go of the memory before anyone hears that it is done.
    range.mapping.reset();
    lock.lock();
    busy_with_ = 0;
    done_.notify_all();
  }
}

}  // namespace gcspike
