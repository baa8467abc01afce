#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "common/api/reader.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// One field that differs, as JSON; null: there is none. A client secret is told by its
/// fingerprint, or as set for a provider that has none yet.
struct FieldChange {
  std::string name;  ///< "scopes", "params.prompt", "client_secret"
  std::string before;
  std::string after;
};

struct ProviderChange {
  PlanAction action = PlanAction::unchanged;
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

/// What /v1/providers/plan and /v1/providers/apply answer.
struct ProviderPlan {
  std::vector<ProviderChange> changes;
  std::vector<ProviderProblem> problems;  ///< where there are any, nothing can be applied

  std::size_t count(PlanAction action) const;
};

Result<void> read(const Reader& from, ProviderPlan& into);
void write(JsonWriter& to, const ProviderPlan& plan);

}  // namespace nexus::api
