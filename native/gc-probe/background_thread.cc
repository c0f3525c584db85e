#include "background_thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach/mach.h>
#else
#include <fcntl.h>
#endif

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <vector>

#include "clock.h"
#include "high_descriptor.h"
#include "inlined_functions.h"
#include "mapped_log.h"
#include "session.h"

namespace gcspike {
namespace {

constexpr uint64_t kTickNs = 100'000'000;
constexpr size_t kThreadStackBytes = 256 * 1024;

// Never destroyed: the thread runs until the process is gone.
struct State {
  std::mutex mutex;
  std::vector<std::shared_ptr<Session>> sessions;
  MappedLog process_log;
  bool log_opened = false;
  bool started = false;
};
State* const state = new State;

#ifdef __APPLE__
uint64_t ResidentBytes() {
  mach_task_basic_info info;
  mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
  const auto result = task_info(mach_task_self(), MACH_TASK_BASIC_INFO, reinterpret_cast<task_info_t>(&info), &count);
  return result == KERN_SUCCESS ? info.resident_size : 0;
}
#else
uint64_t ResidentBytes() {
  static const int fd = MoveUp(open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  char text[128];
  const ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
  if (n <= 0) return 0;
  text[n] = 0;
  unsigned long long size = 0, resident = 0;
  if (sscanf(text, "%llu %llu", &size, &resident) != 2) return 0;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}
#endif

void SampleProcess() {
  auto* record = static_cast<ProcessRecord*>(state->process_log.Reserve(sizeof(ProcessRecord)));
  if (record == nullptr) return;
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  record->time_ns = NowNs();
  record->rss = ResidentBytes();
  record->cpu_ns = ReadClock(CLOCK_PROCESS_CPUTIME_ID);
  record->minor_faults = static_cast<uint64_t>(usage.ru_minflt);
  record->major_faults = static_cast<uint64_t>(usage.ru_majflt);
  record->involuntary_switches = static_cast<uint64_t>(usage.ru_nivcsw);
  state->process_log.Commit(sizeof(ProcessRecord));
}

void SleepUntil(uint64_t when_ns) {
  const uint64_t now = NowNs();
  if (when_ns <= now) return;
  const timespec duration = {static_cast<time_t>((when_ns - now) / 1'000'000'000),
                             static_cast<long>((when_ns - now) % 1'000'000'000)};
  nanosleep(&duration, nullptr);
}

void* Run(void*) {
#ifdef __linux__
  pthread_setname_np(pthread_self(), "gcspike");
#endif
  InlinedFunctions::FindCodeFunction();
  uint64_t next = NowNs();
  for (;;) {
    SampleProcess();
    state->process_log.MakeRoom();
    // No lock is held while the disk works.
    for (const auto& session : WatchedSessions()) session->Tick();
    // After a long stop of the machine, ticks are skipped, not made up for.
    next = std::max(next + kTickNs, NowNs());
    SleepUntil(next);
  }
  return nullptr;
}

// The program's signals are not for this thread.
bool StartThread() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kThreadStackBytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, Run, nullptr) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace

void StartBackgroundThread(const std::string& folder) {
  std::lock_guard<std::mutex> guard(state->mutex);
  if (state->started) return;
  const std::string path = folder + "/" + std::to_string(getpid()) + ".process";
  if (!state->log_opened) {
    state->process_log.Open(path, {LogKind::kProcess, sizeof(ProcessRecord), 0, 64 << 10, 256 << 20});
  }
  state->log_opened = true;
  state->started = StartThread();
}

void Watch(const std::shared_ptr<Session>& session) {
  std::lock_guard<std::mutex> guard(state->mutex);
  state->sessions.push_back(session);
}

void Unwatch(const Session* session) {
  std::lock_guard<std::mutex> guard(state->mutex);
  std::erase_if(state->sessions, [session](const auto& watched) { return watched.get() == session; });
}

std::vector<std::shared_ptr<Session>> WatchedSessions() {
  std::lock_guard<std::mutex> guard(state->mutex);
  return state->sessions;
}

}  // namespace gcspike
