// One thread a process that wakes ten times a second: memory and processor time of the process, the event loops'
// utilisation and delay, room in the logs, and the request that makes each isolate sample its heap. It goes on while
// an event loop is blocked.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace gcspike {

class Session;

// Starts the thread with the first session. `folder`: where <pid>.process goes.
void StartBackgroundThread(const std::string& folder);
// From then on until Unwatch, the thread looks at this session; after Unwatch perhaps once more.
void Watch(const std::shared_ptr<Session>& session);
void Unwatch(const Session* session);
std::vector<std::shared_ptr<Session>> WatchedSessions();

}  // namespace gcspike
