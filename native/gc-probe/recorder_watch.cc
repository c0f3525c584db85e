#include "recorder_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include <cerrno>
#include <csignal>

#include "high_descriptor.h"

namespace gcspike {
namespace {

// A descriptor that becomes readable when the process ends: its number may be somebody else's by then.
int OpenProcess(uint32_t pid) {
#if defined(__linux__) && defined(SYS_pidfd_open)
  return MoveUp(static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
#else
  return -1;
#endif
}

}  // namespace

void RecorderWatch::Start(const std::string& file, uint32_t recorder_pid) {
  file_ = file;
  if (file.empty()) return;
  recorder_pid_ = recorder_pid;
  recorder_fd_ = OpenProcess(recorder_pid);
  file_fd_ = MoveUp(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (file_fd_ < 0 || fstat(file_fd_, &status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

bool RecorderWatch::IsOver() { return !file_.empty() && !(HasContent() && RecorderRuns()); }

bool RecorderWatch::HasContent() const {
  struct stat status;
  return fstat(file_fd_, &status) == 0 && status.st_dev == device_ && status.st_ino == inode_ && status.st_nlink > 0 &&
         status.st_size > 0;
}

bool RecorderWatch::RecorderRuns() const {
  pollfd recorder = {recorder_fd_, POLLIN, 0};
  if (recorder_fd_ >= 0 && poll(&recorder, 1, 0) >= 0 && (recorder.revents & POLLNVAL) == 0) return recorder.revents == 0;
  return kill(static_cast<pid_t>(recorder_pid_), 0) == 0 || errno == EPERM;
}

void RecorderWatch::Finish() {
  if (file_.empty()) return;
  if (recorder_fd_ >= 0) close(recorder_fd_);
  if (file_fd_ >= 0) close(file_fd_);
  unlink(file_.c_str());
  file_.clear();
}

}  // namespace gcspike
