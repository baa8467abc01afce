#include <nlohmann/json.hpp>

#include "common/api/provider_plan.h"
#include "common/json.h"
#include "daemon/api/handlers.h"

namespace nexus::api {
namespace {

struct Wanted {
  Json providers;
  bool prune = false;
};

Result<Wanted> read_wanted(const http::Request& request) {
  NEXUS_TRY(auto body, parse_json_object(request.body));
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
