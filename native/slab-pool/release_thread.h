// One thread a process that gives pages back while event loops wait (idle_thread.h).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "idle_thread.h"
#include "mapping.h"

namespace gcspike {

struct ReleaseRange {
  uint32_t owner;  // the opening (Attachment::serial) that queued it
  LoopThread loop;
  std::shared_ptr<Mapping> mapping;
  size_t offset;
  size_t length;
};

class ReleaseThread {
 public:
  // Never destroyed, like the thread.
  static ReleaseThread& Instance();

  // An owner's ranges are given back in the order in which they were queued. The caller keeps the range out of use until it is done or withdrawn.
  void Queue(ReleaseRange range);
  // How many of the owner's ranges are not done.
  size_t Pending(uint32_t owner);
  // Takes the owner's ranges that are not begun out of the queue and waits for one that is. Returns how many were taken out.
  size_t Withdraw(uint32_t owner);

 private:
  [[noreturn]] void Run();
  std::deque<ReleaseRange>::iterator FirstOfWaitingLoop();

  std::mutex mutex_;
  std::condition_variable queued_;
  std::condition_variable done_;
  std::deque<ReleaseRange> ranges_;
  uint32_t busy_with_ = 0;  // the owner of the range that is given back now; 0: none
  bool is_running_ = false;
};

}  // namespace gcspike
