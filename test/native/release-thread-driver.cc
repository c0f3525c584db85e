// Queues ranges for a loop that waits and runs in turn, and looks after each step at what was given back: always the first ones.
// Prints how many were given back out of turn, and how many in all.
#include <sys/epoll.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "mapping.h"
#include "release_thread.h"

using namespace gcspike;

int main() {
  constexpr size_t kRanges = 2000;
  constexpr uint32_t kOwner = 1;
  const size_t page = PageBytes();
  int error = 0;
  const std::shared_ptr<Mapping> mapping = Mapping::Create({kRanges * page, HugePages::kOff, kNotBound}, &error);
  if (mapping == nullptr) return 1;
  for (size_t n = 0; n < kRanges; n++) mapping->data()[n * page] = 1;

  std::atomic<bool> is_queued = false;
  std::atomic<bool> is_over = false;
  std::thread loop([&] {
    const int queue = epoll_create1(0);
    epoll_event event;
    for (size_t n = 0; n < kRanges; n++)
      ReleaseThread::Instance().Queue({kOwner, LoopThread::Current(), mapping, n * page, page});
    is_queued = true;
    while (!is_over) {
      epoll_wait(queue, &event, 1, 1);
      // Busy for about as long as the release thread takes to look at some ranges.
      const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(20);
      while (std::chrono::steady_clock::now() < until) {
      }
    }
  });
  while (!is_queued) std::this_thread::yield();
  long out_of_turn = 0;
  for (size_t left = kRanges; left > 0;) {
    left = ReleaseThread::Instance().Pending(kOwner);
    for (size_t n = 0; n < kRanges - left; n++) out_of_turn += mapping->data()[n * page] != 0;
  }
  is_over = true;
  loop.join();
  printf("out of turn %ld\nmapped %ld\n", out_of_turn, mapping.use_count());
}
