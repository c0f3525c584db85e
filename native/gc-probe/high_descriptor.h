// Files that gcspike keeps open in the target have high numbers: the program's own get those that it would get without us.
#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace gcspike {

inline constexpr int kFirstDescriptor = 512;

// The same open file under a high number; under its own where the process may not have one so high.
inline int MoveUp(int fd) {
  if (fd < 0) return fd;
  const int high = fcntl(fd, F_DUPFD_CLOEXEC, kFirstDescriptor);
  if (high < 0) return fd;
  close(fd);
  return high;
}

}  // namespace gcspike
