#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/api/provider_plan.h"
#include "common/error.h"
#include "daemon/provider/registry.h"

namespace nexus {

using api::ProviderPlan;

/// What a registration changes, member by member; a client secret is told by its fingerprint.
std::vector<api::FieldChange> differences(const ProviderRegistry::Prepared& prepared);

/// The registered providers as a whole, declared: what would have to change, and changing it. A
/// registration stands for all of its provider; only a client secret that it does not mention stays
/// as it is. Blocks on the network for providers with an issuer. Thread-safe.
class ProviderPlans {
 public:
  ProviderPlans(ProviderRegistry& registry, Providers& providers)
      : registry_(registry), providers_(providers) {}

  /// `wanted`: an array of registrations as POST /v1/providers takes them; secrets in it are wiped.
  Result<ProviderPlan> make(nlohmann::json& wanted, bool prune);
  /// Makes the plan and all of its changes, or none. Errors: the first problem's.
  Result<ProviderPlan> apply(nlohmann::json& wanted, bool prune, const Caller& caller);

 private:
  struct Work {
    ProviderPlan plan;
    std::vector<ProviderRegistry::Prepared> prepared;
    std::vector<Provider> removed;
  };
  Result<Work> prepare(nlohmann::json& wanted, bool prune);

  ProviderRegistry& registry_;
  Providers& providers_;
};

}  // namespace nexus
