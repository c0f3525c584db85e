// An append-only file of records, written through a shared mapping: no system call, lock or allocation to append,
// and what is committed survives any death of the process.
//
// One thread appends. Disk space is allocated before anything is written, because writing to a mapped page for which
// the disk has no room would kill the process with SIGBUS; where there is none, records are dropped and counted. The
// background thread allocates ahead of writers that may not wait (MakeRoom), and gives written pages back, so that a
// long recording does not grow the process.
//
// A ring is a log whose records stand one lap behind the other in the same part of the file. Positions go on rising; a record at
// position p stands at p modulo the ring. The records are mapped twice in a row, so that one that reaches over the end is in
// one piece. The recorder says in the header which records it has no more use for; the background thread gives their room back to the
// disk, and only then may it be written again (Forget).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "format.h"

namespace gcspike {

struct LogOptions {
  LogKind kind;
  uint32_t record_bytes;  // 0: records differ in length
  uint32_t thread_id;
  uint64_t ahead_bytes;   // 0: the writer makes room itself (ReserveWaiting)
  uint64_t limit_bytes;
  bool ring;
};

class MappedLog {
 public:
  MappedLog() = default;
  MappedLog(const MappedLog&) = delete;
  MappedLog& operator=(const MappedLog&) = delete;
  // Logs stay open for as long as V8 may call their writer; Close says when that is over.
  ~MappedLog() = default;

  // Creates the file. False where that is impossible: the log then drops everything.
  bool Open(const std::string& path, const LogOptions& options);
  // On the writer's thread, when the background thread has let go of it: cuts the file to its content. What is appended
  // afterwards is lost.
  void Close();
  // Closes the log and deletes its file: nothing will be written. Before the background thread knows the log.
  void Discard();

  // The index of a name in the header's table, added where it is new; -1 where the table is full.
  int FindOrAddString(const char* text);

  // Writer: room for `bytes` behind the last record, or nullptr (the record is counted as dropped). What is
  // written there counts only after Commit.
  void* Reserve(size_t bytes);
  // The same for a writer that may wait for the disk: outside collections, in a log without ahead_bytes.
  void* ReserveWaiting(size_t bytes);
  void Commit(size_t bytes);
  // Gives the pages of what was written back. MakeRoom does it for logs that it knows.
  void ReleasePages();

  // Background thread: allocates space ahead of the writer and releases pages behind it.
  void MakeRoom();
  // Background thread: gives the room back of what the recorder has forgotten.
  void Forget();

 private:
  LogHeader* header() const { return reinterpret_cast<LogHeader*>(base_); }
  bool is_ring() const { return ring_bytes_ > 0; }
  bool Map();
  // Where a position stands in the file.
  uint64_t OffsetOf(uint64_t position) const;
  char* At(uint64_t position) const { return base_ + OffsetOf(position); }
  // Calls back with offset and length of the one or two parts of the file in which the positions stand. False where a call did.
  template <typename Callback>
  bool EachPart(uint64_t from, uint64_t to, Callback callback) const;
  // The position behind the last one that may be written.
  uint64_t EndOfRoom() const;
  bool is_writable() const;
  bool IsOurFile() const;
  void Grow(uint64_t wanted_end);
  uint64_t Allocate(uint64_t from, uint64_t to);
  bool AllocateAll(uint64_t from, uint64_t to);
  void Drop(DropReason reason);

  std::string path_;
  char* base_ = nullptr;
  int fd_ = -1;
  dev_t device_ = 0;  // of our file: a program that closes numbers it does not own may get ours for a file of its own
  ino_t inode_ = 0;
  uint64_t header_bytes_ = 0;
  uint64_t ahead_bytes_ = 0;
  uint64_t mapped_bytes_ = 0;
  uint64_t ring_bytes_ = 0;
  uint64_t end_ = 0;                        // writer's position
  std::atomic<uint64_t> committed_end_{0};  // the same, as others may see it
  std::atomic<uint64_t> allocated_end_{0};  // the disk has room up to here
  std::atomic<uint64_t> forgotten_end_{0};  // of a ring: what is before that has given its room back
  std::atomic<bool> disk_full_{false};
  uint64_t released_end_ = 0;
  uint64_t ready_end_ = 0;
};

}  // namespace gcspike
