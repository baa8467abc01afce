#include "daemon/token/downscoped_tokens.h"

#include <algorithm>

#include "daemon/vault/sealed_fields.h"

namespace nexus {
namespace {

constexpr std::size_t kMost = 1000;

std::string field_of(const TokenTarget& target) {
  return "access_token\n" + target.scopes + "\n" + target.audience;
}

}  // namespace

void DownscopedTokens::keep(const std::string& connection_id, const TokenTarget& target,
                            const TokenFacts& facts, const Secret& access_token) {
  const auto field = field_of(target);
  auto sealed = vault_.seal({kConnectionKind, connection_id, field, 0}, access_token.expose());
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kMost)
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](auto& a, auto& b) {
      return a.second.used < b.second.used;
    }));
  entries_[connection_id + "\n" + field] = {{facts, std::move(sealed)}, ++uses_};
}

std::optional<DownscopedTokens::Kept> DownscopedTokens::find(const std::string& connection_id,
                                                             const TokenTarget& target) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(connection_id + "\n" + field_of(target));
  // One that was sealed before a rotation is asked for anew: after two of them it would not open.
  if (found == entries_.end() || !vault_.is_sealed_now(found->second.kept.sealed))
    return std::nullopt;
  found->second.used = ++uses_;
  return found->second.kept;
}

void DownscopedTokens::forget(const std::string& connection_id) {
  const auto prefix = connection_id + "\n";
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const auto& entry) { return entry.first.starts_with(prefix); });
}

Result<Secret> DownscopedTokens::open(const std::string& connection_id, const TokenTarget& target,
                                      const Kept& kept) const {
  return vault_.open({kConnectionKind, connection_id, field_of(target), 0}, kept.sealed);
}

}  // namespace nexus
