#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/secret.h"

namespace nexus {

/// A place in the audit log's chain: a record's number, and the link that it and all before it lead
/// to.
struct AuditPlace {
  std::int64_t sequence = 0;
  std::string link;  ///< 32 bytes
};

/// Chains the records of the audit log (keyed BLAKE2b, under a key that nothing else is made with):
/// each one's link is made of its number, its text and the link before it. Who can write the file,
/// but has no key, cannot change, move, add or take away a record without breaking it.
class AuditChain {
 public:
  explicit AuditChain(const Secret& key) : key_(key.copy()) {}

  /// Where a chain begins that nothing was before.
  static std::string beginning();

  std::string link(std::string_view before, std::int64_t sequence, std::string_view record) const;

  /// What a place is written down for.
  enum class Use : char {
    beginning = 'b',  ///< the chain begins after it, and older records may be there
    pruned = 'a',     ///< what was up to it has been removed
    head = 'h'        ///< it is the newest one
  };
  /// Says that it was written by who has the key (16 bytes).
  std::string code(Use use, const AuditPlace& place) const;

 private:
  Secret key_;
};

}  // namespace nexus
