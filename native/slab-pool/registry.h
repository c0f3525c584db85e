// The pools of this process: which mappings there are, and which isolates have them open.
//
// Every isolate that opens a pool gets an ArrayBuffer of its own over the same memory. The memory goes back when the last isolate
// has closed the pool. Its addresses go back later: the ArrayBuffer, which lives as long as any view over it, and its backing store
// hold an Attachment, and the Attachments hold the Mapping. So a read into a view that is under way when the pool is closed never
// writes into what was mapped there next, and however an ArrayBuffer ends (closed, collected, its worker gone), nothing stays.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "mapping.h"

namespace gcspike {

class Registry;

// One isolate's hold on a pool.
struct Attachment {
  ~Attachment();

  uint32_t pool = 0;
  // Of this opening, never used again in this process.
  uint32_t serial = 0;
  uint8_t tag = 0;
  std::shared_ptr<Mapping> mapping;
};

class Registry {
 public:
  // Never destroyed: worker threads may end after the process's exit handlers have run.
  static Registry& Instance();

  // nullptr where 255 pools are open.
  std::shared_ptr<Attachment> Add(std::shared_ptr<Mapping> mapping);
  // nullptr where no isolate has the pool open.
  std::shared_ptr<Attachment> Attach(uint32_t pool);
  // The pool's memory, or nullptr.
  std::shared_ptr<Mapping> Find(uint32_t pool);
  // Is this opening still there?
  bool IsAttached(uint32_t serial);
  // The isolate closed it, or ended. What it queued for the release thread is withdrawn. Is it the last one, the memory goes back.
  void Detach(uint32_t serial);

 private:
  struct Pool {
    std::weak_ptr<Mapping> mapping;
    uint8_t tag;
  };

  std::shared_ptr<Attachment> NewAttachment(uint32_t pool, uint8_t tag, std::shared_ptr<Mapping> mapping);
  // Takes the opening out, and if it was the pool's last one the pool: its memory, or nullptr.
  std::shared_ptr<Mapping> Remove(uint32_t serial);
  uint8_t FreeTag();

  std::mutex mutex_;
  std::map<uint32_t, Pool> pools_;
  // Serials of openings, and the pool of each.
  std::map<uint32_t, uint32_t> attached_;
  uint32_t last_pool_ = 0;
  uint32_t last_serial_ = 0;
  uint8_t last_tag_ = 0;
};

}  // namespace gcspike
