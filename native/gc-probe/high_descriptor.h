// Files that gcspike keeps open in the target have high numbers: the program's own get those that it would get without us.
#pragma once

namespace gcspike {

// The same open file under a high number; under its own where the process may not have one so high.
int MoveUp(int fd);

}  // namespace gcspike
