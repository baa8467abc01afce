#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "common/error.h"
#include "daemon/net/answer_head.h"
#include "daemon/strategy/strategy.h"

namespace nexus {

// Bodies of requests that are not sent on as they come: what is signed is needed as a whole first,
// and what may have to be sent twice as well.

/// How many bytes of a body may be kept before it is sent; 0: it is not kept. `length`: where the
/// client has told it.
std::size_t most_kept(const std::optional<Strategy>& strategy, std::string_view method,
                      const HeaderLines& headers, std::optional<std::uint64_t> length);

/// S3's way to send what is not hashed first, for the caller to choose.
bool leaves_body_unsigned(const HeaderLines& headers);

/// body_too_large.
Error too_large_to_sign();
/// overloaded.
Error too_much_is_kept();

/// What one request keeps of all that may be kept, given back when it is over. Thread-safe among
/// those that share what all keep.
class KeptBytes {
 public:
  using OfAll = std::shared_ptr<std::atomic<std::size_t>>;
  static OfAll none() { return std::make_shared<std::atomic<std::size_t>>(0); }

  explicit KeptBytes(OfAll of_all) : of_all_(std::move(of_all)) {}
  ~KeptBytes() { *of_all_ -= own_; }
  KeptBytes(const KeptBytes&) = delete;
  KeptBytes& operator=(const KeptBytes&) = delete;

  /// False where there is no room for so many more.
  bool take(std::size_t bytes);

 private:
  const OfAll of_all_;
  std::size_t own_ = 0;
};

}  // namespace nexus
