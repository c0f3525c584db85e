#include "idle_thread.h"

#ifdef __APPLE__

#include <pthread.h>

namespace gcspike {

LoopThread LoopThread::Current() {
  LoopThread thread;
  thread.thread_ = pthread_mach_thread_np(pthread_self());
  return thread;
}

// The system does not tell which call a thread waits in: waiting for anything is the best that is known.
bool LoopThread::IsWaitingForEvents() const {
  thread_basic_info_data_t info;
  mach_msg_type_number_t count = THREAD_BASIC_INFO_COUNT;
  if (thread_info(thread_, THREAD_BASIC_INFO, reinterpret_cast<thread_info_t>(&info), &count) != KERN_SUCCESS) return false;
  return info.run_state == TH_STATE_WAITING;
}

}  // namespace gcspike

#else

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace gcspike {

LoopThread LoopThread::Current() {
  LoopThread thread;
  thread.id_ = static_cast<pid_t>(syscall(SYS_gettid));
  return thread;
}

// /proc/self/task/ID/syscall: "running", or the number of the call in which the thread is blocked.
bool LoopThread::IsWaitingForEvents() const {
  char text[64];
  snprintf(text, sizeof text, "/proc/self/task/%d/syscall", static_cast<int>(id_));
  const int fd = open(text, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return false;
  text[length] = '\0';
  char* end = nullptr;
  const long number = strtol(text, &end, 10);
  if (end == text) return false;
#ifdef SYS_epoll_wait
  if (number == SYS_epoll_wait) return true;
#endif
#ifdef SYS_epoll_pwait2
  if (number == SYS_epoll_pwait2) return true;
#endif
  return number == SYS_epoll_pwait;
}

}  // namespace gcspike

#endif
