// One thread a process that wakes ten times a second while something is recorded: memory and processor time of the process,
// the event loops' utilisation and delay, room in the logs, and the request that makes each isolate sample its heap. It goes
// on while an event loop is blocked. It also sees when a recorder wants no more, and asks the isolates to stop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gcspike {

class Session;

struct WatchOptions {
  // Where <pid>.process goes.
  std::string folder;
  // See RecorderWatch.
  std::string recorder_file;
  uint32_t recorder_pid;
  // See LogOptions.
  bool ring;
};

// From then on until Unwatch, the thread looks at this session; after Unwatch perhaps once more.
void Watch(const std::shared_ptr<Session>& session, const WatchOptions& options);
void Unwatch(const Session* session);
std::vector<std::shared_ptr<Session>> WatchedSessions();

}  // namespace gcspike
