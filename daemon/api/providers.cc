#include <map>

#include "common/api/provider.h"
#include "common/json.h"
#include "common/rfc3339.h"
#include "common/text.h"
#include "daemon/access/access.h"
#include "daemon/api/handlers.h"
#include "daemon/api/paging.h"
#include "daemon/connect/visible_providers.h"

namespace nexus::api {
namespace {

/// The profile without its secret; the secret's fingerprint tells whether it has changed. Which
/// client we are there is for those who manage providers.
Provider describe(Services& services, const Caller& caller, const nexus::Provider& provider) {
  auto told = nexus::describe(provider);
  if (!provider.damage.empty()) {
    told.warning = provider.damage;
    return told;
  }
  told.redirect_uri = services.redirect_uris.of(provider);
  if (!is_admin(caller)) {
    told.client_id.clear();
    return told;
  }
  if (const auto fingerprint = services.providers.secret_fingerprint(provider))
    told.client_secret_fingerprint = *fingerprint;
  if (provider.signs())
    if (const auto jwk = services.providers.public_jwk(provider)) told.public_jwk = *jwk;
  return told;
}

Result<Reply> change(Services& services, const http::Request& request, const std::string& id,
                     bool whole) {
  NEXUS_TRY(auto body, parse_json_object(request.body));
  NEXUS_TRY(const auto changed, services.registry.change(id, *body, whole, request.caller));
  auto answer = describe(services, request.caller, changed.provider);
  answer.message = "provider updated";
  answer.warning = changed.warning;
  return Reply{to_json(answer)};
}

/// Those that the caller may see; the page is filled from those after it.
Result<std::vector<nexus::Provider>> visible(Services& services, const Caller& caller,
                                             NamePage page) {
  std::vector<nexus::Provider> seen;
  const auto wanted = static_cast<std::size_t>(page.limit);
  while (seen.size() < wanted) {
    NEXUS_TRY(auto some, services.providers.list(page));
    if (some.empty()) break;
    page.after = some.back().name;
    for (auto& provider : some)
      if (seen.size() < wanted && may_see_provider(caller, provider.name))
        seen.push_back(std::move(provider));
    if (some.size() < wanted) break;
  }
  return seen;
}

/// All of those.
Result<std::vector<nexus::Provider>> visible(Services& services, const Caller& caller) {
  NEXUS_TRY(auto providers, services.providers.all());
  std::erase_if(providers, [&caller](const nexus::Provider& provider) {
    return !may_see_provider(caller, provider.name);
  });
  return providers;
}

Result<Reply> remove(Services& services, const http::Request& request,
                     const nexus::Provider& provider) {
  NEXUS_CHECK(services.registry.remove(provider, request.caller));
  return removed(provider.id, provider.name, "provider deleted");
}

}  // namespace

Result<Reply> add_provider(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(auto body, parse_json_object(request.body));
  NEXUS_TRY(auto registration, read_registration(*body));
  NEXUS_TRY(const auto registered, services.registry.add(std::move(registration), request.caller));
  auto answer = describe(services, request.caller, registered.provider);
  answer.message = "provider registered";
  answer.warning = registered.warning;
  return Reply{to_json(answer), 201};
}

Result<Reply> provider_metadata(Services& services, const http::Request& request,
                                const Arguments& args) {
  if (request.query_value("view") == "list") return list_providers(services, request, args);
  NEXUS_TRY(const auto providers, visible(services, request.caller));
  std::map<AuthType, std::vector<const nexus::Provider*>> by_type;
  for (const auto& provider : providers)
    if (provider.damage.empty()) by_type[provider.auth_type].push_back(&provider);
  JsonWriter map;
  map.begin();
  for (const auto& [type, members] : by_type) {
    map.begin(word(type));
    for (const auto* provider : members)
      map.begin(provider->name)
          .member("id", provider->id)
          .member("api_base_url", provider->api_base_url)
          .member("user_info_endpoint", provider->user_info_endpoint)
          .member("scopes", provider->scopes)
          .member("description", provider->description)
          .member("category", provider->category)
          .end();
    map.end();
  }
  return Reply{map.end().take()};
}

Result<Reply> list_providers(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto slice, slice_of(request));
  NEXUS_TRY(const auto providers, visible(services, request.caller, {slice.cursor, slice.limit}));
  std::vector<Provider> list;
  for (const auto& provider : providers)
    list.push_back(describe(services, request.caller, provider));
  return paged(list, request, slice, providers.empty() ? "" : providers.back().name);
}

Result<Reply> show_redirect_uri(Services& services, const http::Request& request,
                                const Arguments&) {
  nexus::Provider provider;
  provider.name = request.query_value("name");
  provider.redirect_host = request.query_value("host");
  provider.settings.https_redirect = request.query_value("https_redirect") == "true";
  const bool shared = request.query_value("sends_iss") == "true";
  provider.redirect_path = shared ? services.redirect_uris.shared_path()
                                  : services.redirect_uris.own_path(provider.name);
  return Reply{to_json(RedirectUri{provider.redirect_path, services.redirect_uris.of(provider)})};
}

Result<Reply> test_provider(Services& services, const http::Request& request,
                            const Arguments& args) {
  NEXUS_TRY(const auto provider, services.providers.by_id(args[0]));
  NEXUS_TRY(auto checks, services.provider_checks.run(provider, request.caller));
  return Reply{to_json(ProviderTest{provider.name, std::move(checks)})};
}

Result<Reply> reach_providers(Services& services, const http::Request&, const Arguments&) {
  NEXUS_TRY(const auto reaches, services.provider_reaches.run());
  return Reply{to_json(reaches)};
}

Result<Reply> show_provider(Services& services, const http::Request& request,
                            const Arguments& args) {
  NEXUS_TRY(const auto provider, visible_provider(services.providers, request.caller, args[0]));
  return Reply{to_json(describe(services, request.caller, provider))};
}

Result<Reply> show_provider_named(Services& services, const http::Request& request,
                                  const Arguments& args) {
  NEXUS_TRY(const auto provider,
            visible_provider_named(services.providers, request.caller, args[0]));
  return Reply{to_json(describe(services, request.caller, provider))};
}

Result<Reply> replace_provider(Services& services, const http::Request& request,
                               const Arguments& args) {
  return change(services, request, args[0], true);
}

Result<Reply> edit_provider(Services& services, const http::Request& request,
                            const Arguments& args) {
  return change(services, request, args[0], false);
}

Result<Reply> provider_health(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto providers, visible(services, request.caller));
  std::vector<ProviderHealth> list;
  for (const auto& provider : providers) {
    const auto health = services.providers.health(provider.id);
    list.push_back({provider.id, provider.name,
                    !provider.damage.empty() ? "unhealthy"
                    : !health                ? "unknown"
                    : health->healthy        ? "healthy"
                                             : "unhealthy",
                    health ? rfc3339(health->checked_at) : "",
                    health ? health->message : provider.damage});
  }
  return Reply{to_json(list)};
}

Result<Reply> delete_provider(Services& services, const http::Request& request,
                              const Arguments& args) {
  NEXUS_TRY(const auto provider, services.providers.whatever_by_id(args[0]));
  return remove(services, request, provider);
}

Result<Reply> delete_provider_named(Services& services, const http::Request& request,
                                    const Arguments& args) {
  NEXUS_TRY(const auto provider, services.providers.whatever_by_name(args[0]));
  return remove(services, request, provider);
}

}  // namespace nexus::api
