#include "common/secret_blocks.h"

#include <algorithm>
#include <cstdint>

#include "common/secret_pages.h"

namespace nexus {
namespace {

constexpr std::size_t kFewestBlocks = 8;  ///< of a region, its head among them

}  // namespace

SecretBlocks::SecretBlocks(std::size_t block_size)
    : block_size_(block_size),
      region_size_(std::max(secret_page_size(), block_size * kFewestBlocks)) {}

void* SecretBlocks::take() {
  const std::lock_guard lock(mutex_);
  auto* region = with_room_ ? with_room_ : add_region();
  ++region->used;
  void* block = region->free;
  if (region->free) {
    region->free = region->free->next;
  } else {
    block = reinterpret_cast<char*>(region) + region->fresh;
    region->fresh += block_size_;
  }
  if (!has_room(*region)) unlink(region);
  return block;
}

void SecretBlocks::put(void* block) noexcept {
  const std::lock_guard lock(mutex_);
  const auto offset = reinterpret_cast<std::uintptr_t>(block) % region_size_;
  auto* region = reinterpret_cast<Region*>(static_cast<char*>(block) - offset);
  if (!has_room(*region)) link(region);
  auto* free = static_cast<Free*>(block);
  free->next = region->free;
  region->free = free;
  --region->used;
}

void SecretBlocks::give_back() noexcept {
  const std::lock_guard lock(mutex_);
  for (auto* region = with_room_; region;) {
    auto* next = region->next;
    if (region->used == 0) {
      unlink(region);
      if (!unmap_secret_pages(region, region_size_)) link(region);
    }
    region = next;
  }
}

SecretBlocks::Region* SecretBlocks::add_region() {
  auto* region = static_cast<Region*>(map_aligned_secret_pages(region_size_));
  *region = {nullptr, nullptr, nullptr, std::max(sizeof(Region), block_size_), 0};
  link(region);
  return region;
}

void SecretBlocks::link(Region* region) noexcept {
  region->previous = nullptr;
  region->next = with_room_;
  if (with_room_) with_room_->previous = region;
  with_room_ = region;
}

void SecretBlocks::unlink(Region* region) noexcept {
  (region->previous ? region->previous->next : with_room_) = region->next;
  if (region->next) region->next->previous = region->previous;
}

}  // namespace nexus
