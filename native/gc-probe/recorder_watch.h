// Whether a recorder outside the process still wants its recording. Nobody has to say goodbye: a recorder that was killed
// has ended, too.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace gcspike {

class RecorderWatch {
 public:
  // `file`: the recorder's file, which has content while the recording goes on. "": nothing to watch, it never ends.
  void Start(const std::string& file, uint32_t recorder_pid);
  // The file is empty or gone, or the recorder is. No disk is waited for.
  bool IsOver();
  // Deletes the file, which tells the recorder that nothing writes any more.
  void Finish();

 private:
  bool HasContent() const;
  bool RecorderRuns() const;

  std::string file_;
  uint32_t recorder_pid_ = 0;
  int file_fd_ = -1;
  int recorder_fd_ = -1;
  dev_t device_ = 0;  // of our file: a program that closes numbers it does not own may get ours for a file of its own
  ino_t inode_ = 0;
};

}  // namespace gcspike
