#include "high_descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace gcspike {
namespace {

// A thread and its worker threads have some dozen files each.
constexpr int kOurs = 32;
constexpr int kLeastFirst = 32;
constexpr int kFirstWhereUnknown = 512;
constexpr size_t kMostStatus = 8192;

// Linux makes a process's table of files longer when a number does not fit, and with more threads than one the caller waits for an
// RCU grace period: 10 to 20 ms. So ours are the last numbers that fit.
int FirstDescriptor() {
  char text[kMostStatus];
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  const ssize_t n = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
  if (file >= 0) close(file);
  if (n <= 0) return kFirstWhereUnknown;
  text[n] = 0;
  const char* const size = strstr(text, "\nFDSize:");
  return size == nullptr ? kFirstWhereUnknown : std::max(atoi(size + strlen("\nFDSize:")) - kOurs, kLeastFirst);
}

}  // namespace

int MoveUp(int fd) {
  if (fd < 0) return fd;
  static const int first = FirstDescriptor();
  const int high = fcntl(fd, F_DUPFD_CLOEXEC, first);
  if (high < 0) return fd;
  close(fd);
  return high;
}

}  // namespace gcspike
