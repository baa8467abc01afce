#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/api/handlers.h"

namespace nexus::api {
namespace {

Json to_json(const ProviderPlan& plan) {
  Json changes = Json::array();
  for (const auto& change : plan.changes) {
    Json fields = Json::array();
    for (const auto& field : change.fields)
      fields.push_back({{"field", field.name}, {"before", field.before}, {"after", field.after}});
    changes.push_back({{"action", change.action},
                       {"name", change.name},
                       {"fields", std::move(fields)},
                       {"warning", change.warning}});
  }
  Json problems = Json::array();
  for (const auto& [index, name, error] : plan.problems)
    problems.push_back({{"index", index},
                        {"name", name},
                        {"code", error.wire()},
                        {"field", error.field.empty() ? Json(nullptr) : Json(error.field)},
                        {"message", error.message},
                        {"hint", error.hint}});
  return {{"changes", std::move(changes)}, {"problems", std::move(problems)}};
}

struct Wanted {
  Json providers;
  bool prune = false;
};

Result<Wanted> read_wanted(const http::Request& request) {
  NEXUS_TRY(auto body, read_body(request));
  const auto providers = body.find("providers");
  if (providers == body.end() || !providers->is_array() || providers->size() > 2000)
    return Error{ErrorCode::missing_fields, "providers is missing",
                 "send {\"providers\":[{…},…],\"prune\":false}"};
  return Wanted{std::move(*providers), body.value("prune", Json(false)) == true};
}

}  // namespace

Result<Reply> plan_providers(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(auto wanted, read_wanted(request));
  NEXUS_TRY(const auto plan, services.provider_plans.make(wanted.providers, wanted.prune));
  return Reply{to_json(plan)};
}

Result<Reply> apply_providers(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(auto wanted, read_wanted(request));
  NEXUS_TRY(const auto plan,
            services.provider_plans.apply(wanted.providers, wanted.prune, request.caller));
  return Reply{to_json(plan)};
}

}  // namespace nexus::api
