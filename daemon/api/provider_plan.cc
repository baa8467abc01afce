#include <nlohmann/json.hpp>

#include "common/api/provider_plan.h"
#include "common/json.h"
#include "daemon/api/handlers.h"

namespace nexus::api {
namespace {

struct Wanted {
  JsonDocument body;
  Json* providers;  ///< in the body
  bool prune = false;
};

Result<Wanted> read_wanted(const http::Request& request) {
  NEXUS_TRY(auto body, parse_json_object(request.body));
  auto* providers = list_member(*body, "providers");
  if (!providers || providers->size() > 2000)
    return Error{ErrorCode::missing_fields, "providers is missing",
                 "send {\"providers\":[{…},…],\"prune\":false}"};
  const bool prune = flag_member(*body, "prune");
  return Wanted{std::move(body), providers, prune};
}

}  // namespace

Result<Reply> plan_providers(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(auto wanted, read_wanted(request));
  NEXUS_TRY(const auto plan, services.provider_plans.make(*wanted.providers, wanted.prune));
  return Reply{to_json(plan)};
}

Result<Reply> apply_providers(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(auto wanted, read_wanted(request));
  NEXUS_TRY(const auto plan,
            services.provider_plans.apply(*wanted.providers, wanted.prune, request.caller));
  return Reply{to_json(plan)};
}

}  // namespace nexus::api
