#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/provider/registry.h"

namespace nexus {

/// One field that differs. A client secret is told by its fingerprint; null: there is none.
struct FieldChange {
  std::string name;  ///< "scopes", "params.prompt", "client_secret"
  nlohmann::json before;
  nlohmann::json after;
};

struct ProviderChange {
  /// create, update, unchanged; orphan (registered, but not wanted) or, when pruning, delete.
  const char* action = "unchanged";
  std::string name;
  std::vector<FieldChange> fields;
  std::string warning;
};

/// What is wrong with one of the wanted registrations.
struct ProviderProblem {
  std::size_t index = 0;
  std::string name;
  Error error;
};

struct ProviderPlan {
  std::vector<ProviderChange> changes;
  std::vector<ProviderProblem> problems;  ///< where there are any, nothing can be applied
};

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
