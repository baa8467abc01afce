#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "common/json_fields.h"
#include "daemon/api/routes.h"
#include "daemon/http/message.h"

namespace nexus::api {

struct Reply {
  std::string body;  ///< JSON
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
};

/// The body's members; an empty body has none. Error: invalid_json.
Result<JsonFields> read_body(const http::Request& request);
/// What is answered when a provider or a key has gone.
Reply removed(const std::string& id, const std::string& name, const char* message);
/// `workspace_id` or its alias `user_id` from the query; "" where neither is given.
std::string named_workspace(const http::Request& request);
/// The same, or the default workspace.
std::string workspace_of(const http::Request& request);

// daemon.cc
Result<Reply> get_health(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> get_ready(Services& services, const http::Request& request, const Arguments& args);
void get_openapi(Services& services, const http::Request& request, const Arguments& args,
                 http::Respond respond);
Result<Reply> get_daemon(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> restart_daemon(Services& services, const http::Request& request,
                             const Arguments& args);
// vault.cc
Result<Reply> get_vault(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> lock_vault(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> unlock_vault(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> change_vault_key(Services& services, const http::Request& request,
                               const Arguments& args);
Result<Reply> rotate_vault(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> back_up_vault(Services& services, const http::Request& request,
                            const Arguments& args);
Result<Reply> accept_vault(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> verify_vault(Services& services, const http::Request& request, const Arguments& args);
// proxy.cc
Result<Reply> show_proxy(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> open_proxy(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> close_proxy(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> list_proxy_routes(Services& services, const http::Request& request,
                                const Arguments& args);
void begin_program(Services& services, const http::Request& request, const Arguments& args,
                   http::Respond respond);
// connections.cc
Result<Reply> request_connection(Services& services, const http::Request& request,
                                 const Arguments& args);
Result<Reply> adopt_connection(Services& services, const http::Request& request,
                               const Arguments& args);
Result<Reply> complete_connection(Services& services, const http::Request& request,
                                  const Arguments& args);
Result<Reply> check_connection(Services& services, const http::Request& request,
                               const Arguments& args);
Result<Reply> list_connections(Services& services, const http::Request& request,
                               const Arguments& args);
void show_connection(Services& services, const http::Request& request, const Arguments& args,
                     http::Respond respond);
Result<Reply> edit_connection(Services& services, const http::Request& request,
                              const Arguments& args);
Result<Reply> set_use_rules(Services& services, const http::Request& request,
                            const Arguments& args);
Result<Reply> delete_connection(Services& services, const http::Request& request,
                                const Arguments& args);
// bundles.cc
Result<Reply> export_bundle(Services& services, const http::Request& request,
                            const Arguments& args);
Result<Reply> import_bundle(Services& services, const http::Request& request,
                            const Arguments& args);
Result<Reply> take_back_connection(Services& services, const http::Request& request,
                                   const Arguments& args);
// captures.cc
Result<Reply> capture_schema(Services& services, const http::Request& request,
                             const Arguments& args);
Result<Reply> capture_credential(Services& services, const http::Request& request,
                                 const Arguments& args);
// providers.cc
Result<Reply> add_provider(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> provider_metadata(Services& services, const http::Request& request,
                                const Arguments& args);
Result<Reply> list_providers(Services& services, const http::Request& request,
                             const Arguments& args);
Result<Reply> provider_health(Services& services, const http::Request& request,
                              const Arguments& args);
Result<Reply> show_provider(Services& services, const http::Request& request,
                            const Arguments& args);
Result<Reply> show_provider_named(Services& services, const http::Request& request,
                                  const Arguments& args);
Result<Reply> replace_provider(Services& services, const http::Request& request,
                               const Arguments& args);
Result<Reply> edit_provider(Services& services, const http::Request& request,
                            const Arguments& args);
Result<Reply> delete_provider(Services& services, const http::Request& request,
                              const Arguments& args);
Result<Reply> delete_provider_named(Services& services, const http::Request& request,
                                    const Arguments& args);
Result<Reply> show_redirect_uri(Services& services, const http::Request& request,
                                const Arguments& args);
Result<Reply> test_provider(Services& services, const http::Request& request,
                            const Arguments& args);
Result<Reply> reach_providers(Services& services, const http::Request& request,
                              const Arguments& args);
// provider_plan.cc
Result<Reply> plan_providers(Services& services, const http::Request& request,
                             const Arguments& args);
Result<Reply> apply_providers(Services& services, const http::Request& request,
                              const Arguments& args);
// keys.cc
Result<Reply> create_key(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> list_keys(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> revoke_key(Services& services, const http::Request& request, const Arguments& args);
// audit.cc
Result<Reply> list_audit(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> verify_audit(Services& services, const http::Request& request, const Arguments& args);
// metrics.cc
void get_metrics(Services& services, const http::Request& request, const Arguments& args,
                 http::Respond respond);
// tokens.cc
void get_token(Services& services, const http::Request& request, const Arguments& args,
               http::Respond respond);
void refresh_token(Services& services, const http::Request& request, const Arguments& args,
                   http::Respond respond);
void resolve_token(Services& services, const http::Request& request, const Arguments& args,
                   http::Respond respond);

}  // namespace nexus::api
