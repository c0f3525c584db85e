#include "registry.h"

#include <algorithm>
#include <utility>

#include "release_thread.h"

namespace gcspike {

Attachment::~Attachment() { Registry::Instance().Detach(serial); }

Registry& Registry::Instance() {
  static auto* const registry = new Registry();
  return *registry;
}

std::shared_ptr<Attachment> Registry::Add(std::shared_ptr<Mapping> mapping) {
  const std::lock_guard lock(mutex_);
  const uint8_t tag = FreeTag();
  if (tag == 0) return nullptr;
  last_tag_ = tag;
  const uint32_t pool = ++last_pool_;
  pools_[pool] = {mapping, tag};
  return NewAttachment(pool, tag, std::move(mapping));
}

std::shared_ptr<Attachment> Registry::Attach(uint32_t pool) {
  const std::lock_guard lock(mutex_);
  const auto found = pools_.find(pool);
  if (found == pools_.end()) return nullptr;
  std::shared_ptr<Mapping> mapping = found->second.mapping.lock();
  return mapping == nullptr ? nullptr : NewAttachment(pool, found->second.tag, std::move(mapping));
}

std::shared_ptr<Mapping> Registry::Find(uint32_t pool) {
  const std::lock_guard lock(mutex_);
  const auto found = pools_.find(pool);
  return found == pools_.end() ? nullptr : found->second.mapping.lock();
}

bool Registry::IsAttached(uint32_t serial) {
  const std::lock_guard lock(mutex_);
  return attached_.contains(serial);
}

void Registry::Detach(uint32_t serial) {
  // A thread that has ended waits for no events any more: what it queued would stay queued.
  ReleaseThread::Instance().Withdraw(serial);
  const std::shared_ptr<Mapping> mapping = Remove(serial);
  if (mapping != nullptr) mapping->Discard();
}

std::shared_ptr<Mapping> Registry::Remove(uint32_t serial) {
  const std::lock_guard lock(mutex_);
  const auto found = attached_.find(serial);
  if (found == attached_.end()) return nullptr;
  const uint32_t pool = found->second;
  attached_.erase(found);
  if (std::any_of(attached_.begin(), attached_.end(), [pool](const auto& entry) { return entry.second == pool; }))
    return nullptr;
  return pools_.extract(pool).mapped().mapping.lock();
}

std::shared_ptr<Attachment> Registry::NewAttachment(uint32_t pool, uint8_t tag, std::shared_ptr<Mapping> mapping) {
  auto attachment = std::make_shared<Attachment>();
  attachment->pool = pool;
  attachment->serial = ++last_serial_;
  attachment->tag = tag;
  attachment->mapping = std::move(mapping);
  attached_[attachment->serial] = pool;
  return attachment;
}

// The one that has been unused for longest, so that handles of closed pools stay foreign for as long as possible.
uint8_t Registry::FreeTag() {
  for (int step = 1; step <= 255; step++) {
    const auto tag = static_cast<uint8_t>((last_tag_ + step - 1) % 255 + 1);
    if (std::none_of(pools_.begin(), pools_.end(), [tag](const auto& entry) { return entry.second.tag == tag; }))
      return tag;
  }
  return 0;
}

}  // namespace gcspike
