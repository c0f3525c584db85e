#pragma once

#include <cstdint>
#include <ctime>

namespace gcspike {

inline uint64_t ReadClock(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}

// What process.hrtime() counts: on macOS that goes on while the machine sleeps.
inline uint64_t NowNs() {
#ifdef __APPLE__
  return ReadClock(CLOCK_MONOTONIC_RAW);
#else
  return ReadClock(CLOCK_MONOTONIC);
#endif
}

// CPU time of the calling thread.
inline uint64_t ThreadCpuNs() { return ReadClock(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace gcspike
