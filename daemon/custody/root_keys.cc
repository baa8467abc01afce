#include "daemon/custody/root_keys.h"

#include <algorithm>
#include <thread>

namespace nexus {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kShortestDelay = 100ms;
constexpr std::chrono::milliseconds kLongestDelay = 10s;

}  // namespace

std::chrono::milliseconds delay_after_wrong(int wrong) {
  return std::min<std::chrono::milliseconds>(kLongestDelay,
                                             kShortestDelay * (1 << std::min(wrong, 10)));
}

Result<RootKey> RootKeys::present(const VaultHeader& header, const Secret& given) {
  NEXUS_TRY(auto root, looked_up(header, given));
  const auto opens = Vault::open(root.key, header);
  if (opens) {
    wrong_ = 0;
    return root;
  }
  std::this_thread::sleep_for(delay_after_wrong(wrong_++));
  return opens.error();
}

Result<RootKey> RootKeys::looked_up(const VaultHeader& header, const Secret& given) const {
  if (environment_key_) return RootKey{environment_key_->copy(), KeySource::environment};
  if (header.key_source == KeySource::passphrase && given.empty())
    return Error{ErrorCode::missing_fields, "the present passphrase is missing",
                 "give it: --current-passphrase-file FILE"};
  NEXUS_TRY(auto found, find_root_key(places_, header, given));
  return *std::move(found);
}

Result<void> RootKeys::check_not_rotating() const {
  if (!is_rotating_) return {};
  return Error{ErrorCode::invalid_state, "the vault goes over to another key already",
               "wait for that: nexus vault status"};
}

void RootKeys::now(const RootKey& root) {
  source_ = root.source;
  environment_key_.reset();
  if (root.source == KeySource::environment) environment_key_ = root.key.copy();
}

}  // namespace nexus
