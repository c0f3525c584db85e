// Memory for one pool: mapped here, unmapped when the last reference to the Mapping is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace gcspike {

enum class HugePages {
  kOff,
  kTransparent,  // asked for with madvise: the kernel gives them where it can
  kReserved,     // of the machine's reserved huge pages (vm.nr_hugepages): all of them or none
};

// Not bound: the kernel's own policy. Local: the node of the processor that this thread runs on.
constexpr int kNotBound = -1;
constexpr int kLocalNode = -2;

struct MapRequest {
  size_t bytes;
  HugePages huge_pages;
  int numa_node;  // or kNotBound, kLocalNode
};

size_t PageBytes();

class Mapping {
 public:
  // Maps, binds and populates. nullptr where the system refuses; `error` is then its errno.
  static std::shared_ptr<Mapping> Create(const MapRequest& request, int* error);
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  char* data() const { return data_; }
  size_t bytes() const { return bytes_; }

  // Gives the whole pages inside the range back to the system; what stood there is lost. Any thread.
  void Release(size_t offset, size_t length) const;

  // Gives all of it back. The addresses stay taken: who still writes there, meets zeros and nobody else's memory.
  void Discard() const;

 private:
  Mapping(void* reserved, size_t reserved_bytes, char* data, size_t bytes)
      : reserved_(reserved), reserved_bytes_(reserved_bytes), data_(data), bytes_(bytes) {}

  void* const reserved_;
  const size_t reserved_bytes_;
  char* const data_;
  const size_t bytes_;
};

}  // namespace gcspike
