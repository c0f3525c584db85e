// One thread a process that wakes ten times a second: memory and processor time of the process, the event loops'
// utilisation and delay, room in the logs, and the request that makes each isolate sample its heap. It goes on while
// an event loop is blocked.
#pragma once

#include <string>

namespace gcspike {

class Session;

// Starts the thread with the first session. `folder`: where <pid>.process goes.
void StartBackgroundThread(const std::string& folder);
// From then on until Unwatch, the thread looks at this session. Unwatch returns when it has let go of it.
void Watch(Session* session);
void Unwatch(Session* session);

}  // namespace gcspike
