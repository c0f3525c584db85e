#include "mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#ifdef __linux__
#include <linux/mempolicy.h>
#include <sys/syscall.h>

// Linux 5.14; older C libraries do not name it.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#endif

namespace gcspike {
namespace {

constexpr size_t kHugePageBytes = size_t{2} << 20;

size_t RoundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

#ifdef __linux__
int CurrentNode() {
  unsigned node = 0;
  return syscall(SYS_getcpu, nullptr, &node, nullptr) == 0 ? static_cast<int>(node) : kNotBound;
}

// Preferred, not bound: a node that is full must not end the process. What was granted is read from the system afterwards.
void PreferNode(char* data, size_t bytes, int node) {
  if (node == kLocalNode) node = CurrentNode();
  constexpr int kWordBits = 64;
  constexpr int kWords = 16;
  if (node < 0 || node >= kWordBits * kWords) return;
  unsigned long mask[kWords] = {};
  mask[node / kWordBits] = 1UL << (node % kWordBits);
  syscall(SYS_mbind, data, bytes, MPOL_PREFERRED, mask, kWordBits * kWords, 0);
}

// Every page is there before the first slot is handed out. False, with errno, where memory is lacking: MAP_POPULATE says nothing
// then.
bool Populate(char* data, size_t bytes) {
  if (madvise(data, bytes, MADV_POPULATE_WRITE) == 0) return true;
  if (errno != EINVAL) return false;
  const size_t page = PageBytes();
  for (size_t at = 0; at < bytes; at += page) static_cast<volatile char*>(data)[at] = 0;
  return true;
}

bool MapData(char* data, size_t bytes, const MapRequest& request) {
  const int protection = PROT_READ | PROT_WRITE;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  // Where page size and node are the system's choice, pages can come at once; else these are said before the first one comes.
  if (request.huge_pages == HugePages::kOff && request.numa_node == kNotBound) flags |= MAP_POPULATE;
  if (request.huge_pages == HugePages::kReserved) flags |= MAP_HUGETLB | (21 << MAP_HUGE_SHIFT);
  if (mmap(data, bytes, protection, flags, -1, 0) == MAP_FAILED) return false;
  // A kernel without transparent huge pages refuses: plain pages then.
  if (request.huge_pages == HugePages::kTransparent) madvise(data, bytes, MADV_HUGEPAGE);
  if (request.numa_node != kNotBound) PreferNode(data, bytes, request.numa_node);
  return Populate(data, bytes);
}
#else
bool MapData(char* data, size_t bytes, const MapRequest&) {
  return mmap(data, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0) != MAP_FAILED;
}
#endif

}  // namespace

size_t PageBytes() {
  static const auto bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

std::shared_ptr<Mapping> Mapping::Create(const MapRequest& request, int* error) {
  const size_t unit = request.huge_pages == HugePages::kOff ? PageBytes() : kHugePageBytes;
  const size_t bytes = RoundUp(request.bytes, unit);
  // Room to begin at a whole (huge) page, and a page on either side that nobody may touch: an overrun of native code ends
  // there, and the kernel does not join neighbours to one mapping, whose figures would be those of both.
  const size_t reserved_bytes = bytes + 2 * unit + PageBytes();
  void* reserved = mmap(nullptr, reserved_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) {
    *error = errno;
    return nullptr;
  }
  auto* data = reinterpret_cast<char*>(RoundUp(reinterpret_cast<size_t>(reserved) + PageBytes(), unit));
  if (!MapData(data, bytes, request)) {
    *error = errno;
    munmap(reserved, reserved_bytes);
    return nullptr;
  }
  return std::shared_ptr<Mapping>(new Mapping(reserved, reserved_bytes, data, bytes));
}

Mapping::~Mapping() { munmap(reserved_, reserved_bytes_); }

void Mapping::Release(size_t offset, size_t length) const {
  if (offset >= bytes_) return;
  const size_t page = PageBytes();
  const size_t from = RoundUp(offset, page);
  const size_t to = (offset + std::min(length, bytes_ - offset)) / page * page;
  if (from >= to) return;
#ifdef __linux__
  madvise(data_ + from, to - from, MADV_DONTNEED);
#else
  madvise(data_ + from, to - from, MADV_FREE);
#endif
}

// New memory in place of the old: of reserved huge pages older kernels take nothing back. None of it comes before it is used.
void Mapping::Discard() const {
  const int flags = MAP_PRIVATE | MAP_ANON | MAP_FIXED | MAP_NORESERVE;
  mmap(data_, bytes_, PROT_READ | PROT_WRITE, flags, -1, 0);
}

}  // namespace gcspike
