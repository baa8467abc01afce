#pragma once

#include <cstddef>
#include <mutex>

namespace nexus {

/// Memory for small secrets: blocks of one size, cut from regions of pages. What becomes empty is
/// kept for the next ones until it is given back, since to map pages and lock them costs as much as
/// many blocks. Thread-safe.
class SecretBlocks {
 public:
  /// A power of two, 64 at the least.
  explicit SecretBlocks(std::size_t block_size);
  SecretBlocks(const SecretBlocks&) = delete;
  SecretBlocks& operator=(const SecretBlocks&) = delete;

  /// Throws std::bad_alloc.
  void* take();
  /// One that was taken here.
  void put(void* block) noexcept;
  /// Has the kernel take the regions that nothing is in.
  void give_back() noexcept;

 private:
  struct Free {
    Free* next;
  };
  /// At the beginning of its pages, whose address is a multiple of their size: a block leads there.
  struct Region {
    Region* next;
    Region* previous;
    Free* free;         ///< of blocks that were in use
    std::size_t fresh;  ///< where those begin that never were
    std::size_t used;
  };

  bool has_room(const Region& region) const {
    return region.free || region.fresh + block_size_ <= region_size_;
  }
  Region* add_region();
  void link(Region* region) noexcept;
  void unlink(Region* region) noexcept;

  const std::size_t block_size_;
  const std::size_t region_size_;
  std::mutex mutex_;
  Region* with_room_ = nullptr;  ///< a list of those that are not full
};

}  // namespace nexus
