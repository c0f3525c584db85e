#include "mapped_log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "clock.h"
#include "high_descriptor.h"

namespace gcspike {
namespace {

const uint64_t kPage = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
// A disk this full is left to the program: a twentieth of it, between these two.
constexpr uint64_t kLeaveFreeShare = 20;
constexpr uint64_t kLeaveFreeLeast = 1 << 20;
constexpr uint64_t kLeaveFreeMost = 64 << 20;
// Some seconds of the busiest program, or minutes of an ordinary one; the recorder forgets what is older than it wants.
constexpr uint64_t kRingBytes = 64 << 20;
// What a writer that waits allocates at once.
constexpr uint64_t kStepBytes = 256 << 10;
constexpr uint64_t kLimitUnderRlimit = 16 << 20;
// Pages behind the last record that are ready to be written, so that no collection waits for a page fault.
constexpr uint64_t kReadyBytes = 64 << 10;

uint64_t RoundDown(uint64_t value, uint64_t unit) { return value / unit * unit; }
uint64_t RoundUp(uint64_t value, uint64_t unit) { return RoundDown(value + unit - 1, unit); }

uint64_t LeaveFree(const struct statvfs& fs) {
  const uint64_t size = static_cast<uint64_t>(fs.f_blocks) * fs.f_frsize;
  return std::clamp(size / kLeaveFreeShare, kLeaveFreeLeast, kLeaveFreeMost);
}

// A program that runs under `ulimit -v` needs what little address space it has.
uint64_t AddressSpaceLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return kLimitUnderRlimit;
}

// A child that was forked and did not exec shares the mapping and would write over its parent's records.
std::atomic<bool> forked{false};

void WatchForks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });
  (void)registered;
}

bool WriteZeros(int fd, uint64_t from, uint64_t to) {
  static const char zeros[4096] = {};
  while (from < to) {
    const ssize_t written = pwrite(fd, zeros, std::min<uint64_t>(sizeof(zeros), to - from), static_cast<off_t>(from));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    from += static_cast<uint64_t>(written);
  }
  return true;
}

#ifdef __linux__
// fallocate in the mode; 0 or an error's number.
int ChangeRoom(int fd, int mode, uint64_t offset, uint64_t length) {
  int result;
  do result = fallocate(fd, mode, static_cast<off_t>(offset), static_cast<off_t>(length));
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}
#endif

// Without it, a copy-on-write file system needs fresh space for every page that is written again.
void DisableCopyOnWrite(int fd) {
#ifdef __linux__
  int flags = 0;
  if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
    flags |= FS_NOCOW_FL;
    ioctl(fd, FS_IOC_SETFLAGS, &flags);
  }
#endif
}

}  // namespace

bool MappedLog::Open(const std::string& path, const LogOptions& options) {
  WatchForks();
  path_ = path;
  fd_ = MoveUp(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  struct stat file;
  if (fd_ < 0 || fstat(fd_, &file) != 0) return false;
  device_ = file.st_dev;
  inode_ = file.st_ino;
  DisableCopyOnWrite(fd_);
  header_bytes_ = options.kind == LogKind::kPhases ? kPhasesHeaderBytes : kHeaderBytes;
  ahead_bytes_ = RoundUp(options.ahead_bytes, kPage);
  const uint64_t limit = std::min(options.limit_bytes, AddressSpaceLimit());
  if (options.ring) {
    // What is mapped twice begins with a page.
    header_bytes_ = RoundUp(header_bytes_, kPage);
    ring_bytes_ = RoundDown(std::min(limit, 2 * kRingBytes) / 2, kPage);
  }
  mapped_bytes_ = is_ring() ? header_bytes_ + 2 * ring_bytes_ : RoundUp(limit, kPage);
  end_ = header_bytes_;
  forgotten_end_.store(end_, std::memory_order_relaxed);
  if (!AllocateAll(0, header_bytes_) || !Map()) {
    close(fd_);
    unlink(path.c_str());
    return false;
  }
  LogHeader* h = header();
  std::memcpy(h->magic, "GCSPIKE", 8);
  h->version = kFormatVersion;
  h->kind = static_cast<uint32_t>(options.kind);
  h->record_bytes = options.record_bytes;
  h->header_bytes = static_cast<uint32_t>(header_bytes_);
  h->pid = static_cast<uint32_t>(getpid());
  h->thread_id = options.thread_id;
  h->start_ns = NowNs();
  h->ring_bytes = ring_bytes_;
  released_end_ = end_;
  committed_end_.store(end_, std::memory_order_relaxed);
  allocated_end_.store(header_bytes_, std::memory_order_relaxed);
  if (ahead_bytes_ > 0) MakeRoom();
  return true;
}

bool MappedLog::Map() {
  constexpr int kProtection = PROT_READ | PROT_WRITE;
  constexpr int kFlags = MAP_SHARED | MAP_NORESERVE;
  const uint64_t first_bytes = is_ring() ? header_bytes_ + ring_bytes_ : mapped_bytes_;
  // All of it at first, so that nobody else gets what the second part is put over.
  void* const base = mmap(nullptr, mapped_bytes_, kProtection, kFlags, fd_, 0);
  if (base == MAP_FAILED) return false;
  char* const second = static_cast<char*>(base) + first_bytes;
  if (is_ring() && mmap(second, ring_bytes_, kProtection, kFlags | MAP_FIXED, fd_, static_cast<off_t>(header_bytes_)) ==
                       MAP_FAILED) {
    munmap(base, mapped_bytes_);
    return false;
  }
  base_ = static_cast<char*>(base);
  return true;
}

uint64_t MappedLog::OffsetOf(uint64_t position) const {
  if (!is_ring() || position < header_bytes_) return position;
  return header_bytes_ + (position - header_bytes_) % ring_bytes_;
}

template <typename Callback>
bool MappedLog::EachPart(uint64_t from, uint64_t to, Callback callback) const {
  while (from < to) {
    const uint64_t offset = OffsetOf(from);
    const uint64_t length = is_ring() ? std::min(to - from, header_bytes_ + ring_bytes_ - offset) : to - from;
    if (!callback(offset, length)) return false;
    from += length;
  }
  return true;
}

uint64_t MappedLog::EndOfRoom() const {
  if (!is_ring()) return mapped_bytes_;
  return RoundDown(forgotten_end_.load(std::memory_order_acquire), kPage) + ring_bytes_;
}

void MappedLog::Close() {
  if (base_ == nullptr) return;
  munmap(base_, mapped_bytes_);
  base_ = nullptr;
  if (!IsOurFile()) return;
  if (is_ring()) {
    close(fd_);
    return;
  }
  // Where that fails, the file keeps its room, and readers know how much of it is content.
  while (ftruncate(fd_, static_cast<off_t>(end_)) != 0 && errno == EINTR) continue;
  close(fd_);
}

bool MappedLog::IsOurFile() const {
  struct stat file;
  return fstat(fd_, &file) == 0 && file.st_dev == device_ && file.st_ino == inode_;
}

void MappedLog::Discard() {
  if (base_ == nullptr) return;
  Close();
  unlink(path_.c_str());
}

int MappedLog::FindOrAddString(const char* text) {
  if (!is_writable()) return -1;
  LogHeader* h = header();
  char* strings = base_ + kHeaderStringsOffset;
  for (uint32_t i = 0; i < h->string_count; i++) {
    if (strncmp(strings + i * kHeaderStringBytes, text, kHeaderStringBytes - 1) == 0) return static_cast<int>(i);
  }
  const uint64_t capacity = (header_bytes_ - kHeaderStringsOffset) / kHeaderStringBytes;
  if (h->string_count >= capacity) return -1;
  strncpy(strings + h->string_count * kHeaderStringBytes, text, kHeaderStringBytes - 1);
  return static_cast<int>(h->string_count++);
}

bool MappedLog::is_writable() const { return base_ != nullptr && !forked.load(std::memory_order_relaxed); }

void* MappedLog::Reserve(size_t bytes) {
  if (!is_writable()) return nullptr;
  if (end_ + bytes > allocated_end_.load(std::memory_order_acquire)) {
    const bool full = disk_full_.load(std::memory_order_relaxed);
    Drop(end_ + bytes > EndOfRoom() ? kSizeLimit : full ? kDiskFull : kTooFast);
    return nullptr;
  }
  return At(end_);
}

void* MappedLog::ReserveWaiting(size_t bytes) {
  if (!is_writable()) return nullptr;
  const uint64_t allocated = allocated_end_.load(std::memory_order_relaxed);
  if (end_ + bytes > allocated) Grow(std::max(end_ + bytes, allocated + kStepBytes));
  return Reserve(bytes);
}

void MappedLog::Commit(size_t bytes) {
  end_ += bytes;
  // The compiler's own, because not every macOS toolchain has std::atomic_ref.
  __atomic_store_n(&header()->committed_bytes, end_ - header_bytes_, __ATOMIC_RELEASE);
  committed_end_.store(end_, std::memory_order_release);
}

void MappedLog::Drop(DropReason reason) {
  header()->dropped_records++;
  header()->drop_reasons |= reason;
}

bool MappedLog::AllocateAll(uint64_t from, uint64_t to) {
  struct statvfs fs;
  if (!IsOurFile()) return false;
  if (fstatvfs(fd_, &fs) == 0 && static_cast<uint64_t>(fs.f_bavail) * fs.f_frsize < LeaveFree(fs) + (to - from)) {
    return false;
  }
  return EachPart(from, to, [this](uint64_t offset, uint64_t length) {
#ifdef __linux__
    const int result = ChangeRoom(fd_, 0, offset, length);
    if (result == 0) return true;
    if (result != EOPNOTSUPP && result != ENOSYS) return false;
#endif
    return WriteZeros(fd_, offset, offset + length);
  });
}

// Disk space from `from` to `to`, or as much of it as there is; returns where it ends.
uint64_t MappedLog::Allocate(uint64_t from, uint64_t to) {
  for (uint64_t end = to; end > from; end = RoundDown(from + (end - from) / 2, kPage)) {
    if (AllocateAll(from, end)) return end;
  }
  return from;
}

void MappedLog::Grow(uint64_t wanted_end) {
  const uint64_t start = allocated_end_.load(std::memory_order_relaxed);
  const uint64_t wanted = std::min(RoundUp(wanted_end, kPage), EndOfRoom());
  if (wanted <= start) return;
  const uint64_t end = Allocate(start, wanted);
  disk_full_.store(end < wanted, std::memory_order_relaxed);
  if (end > start) allocated_end_.store(end, std::memory_order_release);
}

void MappedLog::MakeRoom() {
  if (base_ == nullptr || ahead_bytes_ == 0) return;
  const uint64_t committed = committed_end_.load(std::memory_order_acquire);
  // Half of the distance is kept as slack, so that this is not a system call a tick.
  if (committed + ahead_bytes_ / 2 > allocated_end_.load(std::memory_order_relaxed)) Grow(committed + ahead_bytes_);
#ifdef MADV_POPULATE_WRITE
  const uint64_t ready_from = RoundDown(committed, kPage);
  const uint64_t ready_to = std::min(RoundUp(committed + kReadyBytes, kPage), allocated_end_.load());
  if (ready_to > ready_end_ && ready_to > ready_from) {
    const uint64_t from = std::max(ready_from, ready_end_);
    madvise(At(from), ready_to - from, MADV_POPULATE_WRITE);
    ready_end_ = ready_to;
  }
#endif
  ReleasePages();
}

void MappedLog::ReleasePages() {
  if (base_ == nullptr) return;
  const uint64_t releasable = RoundDown(committed_end_.load(std::memory_order_acquire), kPage);
  if (releasable <= released_end_ + 64 * kPage) return;
  EachPart(RoundUp(released_end_, kPage), releasable, [this](uint64_t offset, uint64_t length) {
    madvise(base_ + offset, length, MADV_DONTNEED);
    return true;
  });
  released_end_ = releasable;
}

// Where holes cannot be made the file keeps its room, at most that of the ring. What the recorder wrote is not trusted.
void MappedLog::Forget() {
  if (base_ == nullptr || !is_ring()) return;
  const uint64_t first = header_bytes_ + __atomic_load_n(&header()->first_bytes, __ATOMIC_ACQUIRE);
  const uint64_t before = forgotten_end_.load(std::memory_order_relaxed);
  if (first <= before || first > committed_end_.load(std::memory_order_acquire) || !IsOurFile()) return;
#ifdef __linux__
  EachPart(RoundDown(before, kPage), RoundDown(first, kPage), [this](uint64_t offset, uint64_t length) {
    return ChangeRoom(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) == 0;
  });
#endif
  forgotten_end_.store(first, std::memory_order_release);
}

}  // namespace gcspike
