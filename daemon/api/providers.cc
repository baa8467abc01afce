#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/rfc3339.h"
#include "daemon/api/handlers.h"
#include "daemon/api/paging.h"

namespace nexus::api {
namespace {

/// The profile without its secret; the secret's fingerprint tells whether it has changed.
Json describe(Services& services, const Provider& provider) {
  auto json = to_json(provider);
  json["redirect_uri"] = services.redirect_uris.of(provider);
  const auto fingerprint = services.providers.secret_fingerprint(provider);
  json["client_secret_fingerprint"] = fingerprint ? *fingerprint : "";
  if (provider.signs())
    if (const auto jwk = services.providers.public_jwk(provider))
      json["public_jwk"] = Json::parse(*jwk);
  return json;
}

Result<Reply> change(Services& services, const http::Request& request, const std::string& id,
                     bool whole) {
  NEXUS_TRY(auto body, read_body(request));
  NEXUS_TRY(const auto changed,
            services.registry.change(id, std::move(body), whole, request.caller));
  auto answer = describe(services, changed.provider);
  answer["message"] = "provider updated";
  if (!changed.warning.empty()) answer["warning"] = changed.warning;
  return Reply{std::move(answer)};
}

Result<Reply> remove(Services& services, const http::Request& request, const Provider& provider) {
  NEXUS_CHECK(services.registry.remove(provider, request.caller));
  return Reply{{{"id", provider.id}, {"name", provider.name}, {"message", "provider deleted"}}};
}

}  // namespace

Result<Reply> add_provider(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(auto body, read_body(request));
  NEXUS_TRY(auto registration, read_registration(body));
  NEXUS_TRY(const auto registered, services.registry.add(std::move(registration), request.caller));
  auto answer = describe(services, registered.provider);
  answer["message"] = "provider registered";
  if (!registered.warning.empty()) answer["warning"] = registered.warning;
  return Reply{std::move(answer), 201};
}

Result<Reply> provider_metadata(Services& services, const http::Request& request,
                                const Arguments& args) {
  if (request.query_value("view") == "list") return list_providers(services, request, args);
  NEXUS_TRY(const auto providers, services.providers.all());
  Json map = Json::object();
  for (const auto& provider : providers)
    map[word(provider.auth_type)][provider.name] = {
        {"id", provider.id},
        {"api_base_url", provider.api_base_url},
        {"user_info_endpoint", provider.user_info_endpoint},
        {"scopes", provider.scopes},
        {"description", provider.description},
        {"category", provider.category}};
  return Reply{std::move(map)};
}

Result<Reply> list_providers(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto slice, slice_of(request));
  NEXUS_TRY(const auto providers, services.providers.list({slice.cursor, slice.limit}));
  Json list = Json::array();
  for (const auto& provider : providers) list.push_back(describe(services, provider));
  return paged(std::move(list), request, slice, providers.empty() ? "" : providers.back().name);
}

Result<Reply> show_redirect_uri(Services& services, const http::Request& request,
                                const Arguments&) {
  Provider provider;
  provider.name = request.query_value("name");
  provider.redirect_host = request.query_value("host");
  provider.redirect_path = services.redirect_uris.own_path(provider.name);
  return Reply{{{"redirect_path", provider.redirect_path},
                {"redirect_uri", services.redirect_uris.of(provider)}}};
}

Result<Reply> test_provider(Services& services, const http::Request& request,
                            const Arguments& args) {
  NEXUS_TRY(const auto provider, services.providers.by_id(args[0]));
  NEXUS_TRY(const auto checks, services.provider_checks.run(provider, request.caller));
  Json list = Json::array();
  bool ok = true;
  for (const auto& check : checks) {
    ok = ok && check.ok;
    list.push_back(
        {{"check", check.name}, {"ok", check.ok}, {"detail", check.detail}, {"hint", check.hint}});
  }
  return Reply{{{"name", provider.name}, {"ok", ok}, {"checks", std::move(list)}}};
}

Result<Reply> show_provider(Services& services, const http::Request&, const Arguments& args) {
  NEXUS_TRY(const auto provider, services.providers.by_id(args[0]));
  return Reply{describe(services, provider)};
}

Result<Reply> show_provider_named(Services& services, const http::Request&, const Arguments& args) {
  NEXUS_TRY(const auto provider, services.providers.by_name(args[0]));
  return Reply{describe(services, provider)};
}

Result<Reply> replace_provider(Services& services, const http::Request& request,
                               const Arguments& args) {
  return change(services, request, args[0], true);
}

Result<Reply> edit_provider(Services& services, const http::Request& request,
                            const Arguments& args) {
  return change(services, request, args[0], false);
}

Result<Reply> provider_health(Services& services, const http::Request&, const Arguments&) {
  NEXUS_TRY(const auto providers, services.providers.all());
  Json list = Json::array();
  for (const auto& provider : providers) {
    const auto health = services.providers.health(provider.id);
    list.push_back(
        {{"id", provider.id},
         {"name", provider.name},
         {"health_status", !health           ? "unknown"
                           : health->healthy ? "healthy"
                                             : "unhealthy"},
         {"last_health_check_at", health ? Json(rfc3339(health->checked_at)) : Json(nullptr)},
         {"health_message", health ? health->message : ""}});
  }
  return Reply{std::move(list)};
}

Result<Reply> delete_provider(Services& services, const http::Request& request,
                              const Arguments& args) {
  NEXUS_TRY(const auto provider, services.providers.by_id(args[0]));
  return remove(services, request, provider);
}

Result<Reply> delete_provider_named(Services& services, const http::Request& request,
                                    const Arguments& args) {
  NEXUS_TRY(const auto provider, services.providers.by_name(args[0]));
  return remove(services, request, provider);
}

}  // namespace nexus::api
