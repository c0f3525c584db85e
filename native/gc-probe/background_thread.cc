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
#include "recorder_watch.h"
#include "session.h"

namespace gcspike {
namespace {

constexpr uint64_t kTickNs = 100'000'000;
constexpr size_t kThreadStackBytes = 256 * 1024;

// What one recorder wants of this process.
struct ProcessRecording {
  std::string folder;
  RecorderWatch recorder;
  MappedLog log;
  std::vector<std::shared_ptr<Session>> sessions;  // the state's mutex guards it
  // The recorder wants no more: sessions that did not stop yet are asked to.
  bool over = false;
};

// Never destroyed: the thread may run until the process is gone.
struct State {
  std::mutex mutex;
  std::vector<std::shared_ptr<ProcessRecording>> recordings;
  bool started = false;
};
State* const state = new State;

#ifdef __APPLE__
int OpenStatm() { return -1; }

uint64_t ResidentBytes(int) {
  mach_task_basic_info info;
  mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
  const auto result = task_info(mach_task_self(), MACH_TASK_BASIC_INFO, reinterpret_cast<task_info_t>(&info), &count);
  return result == KERN_SUCCESS ? info.resident_size : 0;
}
#else
int OpenStatm() { return MoveUp(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)); }

uint64_t ResidentBytes(int fd) {
  char text[128];
  const ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
  if (n <= 0) return 0;
  text[n] = 0;
  unsigned long long size = 0, resident = 0;
  if (sscanf(text, "%llu %llu", &size, &resident) != 2) return 0;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}
#endif

void SampleProcess(MappedLog* log, int statm_fd) {
  auto* record = static_cast<ProcessRecord*>(log->Reserve(sizeof(ProcessRecord)));
  if (record == nullptr) return;
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  record->time_ns = NowNs();
  record->rss = ResidentBytes(statm_fd);
  record->cpu_ns = ReadClock(CLOCK_PROCESS_CPUTIME_ID);
  record->minor_faults = static_cast<uint64_t>(usage.ru_minflt);
  record->major_faults = static_cast<uint64_t>(usage.ru_majflt);
  record->involuntary_switches = static_cast<uint64_t>(usage.ru_nivcsw);
  log->Commit(sizeof(ProcessRecord));
}

void SleepUntil(uint64_t when_ns) {
  const uint64_t now = NowNs();
  if (when_ns <= now) return;
  const timespec duration = {static_cast<time_t>((when_ns - now) / 1'000'000'000),
                             static_cast<long>((when_ns - now) % 1'000'000'000)};
  nanosleep(&duration, nullptr);
}

std::vector<std::shared_ptr<ProcessRecording>> Recordings() {
  std::lock_guard<std::mutex> guard(state->mutex);
  return state->recordings;
}

std::vector<std::shared_ptr<Session>> SessionsOf(const ProcessRecording& recording) {
  std::lock_guard<std::mutex> guard(state->mutex);
  return recording.sessions;
}

// No lock is held while the disk works.
void Tick(ProcessRecording* recording, int statm_fd) {
  if (!recording->over && recording->recorder.IsOver()) {
    recording->over = true;
    recording->log.Close();
  }
  if (!recording->over) {
    SampleProcess(&recording->log, statm_fd);
    recording->log.Forget();
    recording->log.MakeRoom();
  }
  for (const auto& session : SessionsOf(*recording)) {
    if (recording->over) session->RequestStop();
    if (!session->Tick()) Unwatch(session.get());
  }
}

// Ends recordings without sessions. False where none is left: then the thread ends, too.
bool HasWork() {
  std::vector<std::shared_ptr<ProcessRecording>> ended;
  bool has_work;
  {
    std::lock_guard<std::mutex> guard(state->mutex);
    std::erase_if(state->recordings, [&ended](const auto& recording) {
      if (!recording->sessions.empty()) return false;
      ended.push_back(recording);
      return true;
    });
    has_work = !state->recordings.empty();
    state->started = has_work;
  }
  for (const auto& recording : ended) {
    recording->log.Close();
    recording->recorder.Finish();
  }
  return has_work;
}

void* Run(void*) {
#ifdef __linux__
  pthread_setname_np(pthread_self(), "gcspike");
#endif
  InlinedFunctions::FindCodeFunction();
  const int statm_fd = OpenStatm();
  uint64_t next = NowNs();
  while (HasWork()) {
    for (const auto& recording : Recordings()) Tick(recording.get(), statm_fd);
    // After a long stop of the machine, ticks are skipped, not made up for.
    next = std::max(next + kTickNs, NowNs());
    SleepUntil(next);
  }
  if (statm_fd >= 0) close(statm_fd);
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

void Watch(const std::shared_ptr<Session>& session, const WatchOptions& options) {
  std::lock_guard<std::mutex> guard(state->mutex);
  auto& recordings = state->recordings;
  const std::string& folder = options.folder;
  auto found = std::find_if(recordings.begin(), recordings.end(), [&](const auto& r) { return r->folder == folder; });
  if (found == recordings.end()) {
    found = recordings.insert(found, std::make_shared<ProcessRecording>());
    (*found)->folder = folder;
    (*found)->recorder.Start(options.recorder_file, options.recorder_pid);
    (*found)->log.Open(folder + "/" + std::to_string(getpid()) + ".process",
                       {LogKind::kProcess, sizeof(ProcessRecord), 0, 64 << 10, 256 << 20, options.ring});
  }
  (*found)->sessions.push_back(session);
  if (!state->started) state->started = StartThread();
}

void Unwatch(const Session* session) {
  std::lock_guard<std::mutex> guard(state->mutex);
  for (const auto& recording : state->recordings) {
    std::erase_if(recording->sessions, [session](const auto& watched) { return watched.get() == session; });
  }
}

std::vector<std::shared_ptr<Session>> WatchedSessions() {
  std::vector<std::shared_ptr<Session>> sessions;
  std::lock_guard<std::mutex> guard(state->mutex);
  for (const auto& recording : state->recordings) {
    sessions.insert(sessions.end(), recording->sessions.begin(), recording->sessions.end());
  }
  return sessions;
}

}  // namespace gcspike
