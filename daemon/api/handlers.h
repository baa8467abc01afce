#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/api/routes.h"
#include "daemon/http/message.h"

namespace nexus::api {

/// The decoded `{}` segments of a route's path, in order.
using Arguments = std::vector<std::string>;

struct Reply {
  nlohmann::json body;
  int status = 200;
};

/// The body as an object. Errors: invalid_json; an empty body is an empty object.
Result<nlohmann::json> read_body(const http::Request& request);
/// `workspace_id` or its alias `user_id` from the query, else the local default.
std::string workspace_of(const http::Request& request);

// daemon.cc
Result<Reply> get_health(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> get_daemon(Services& services, const http::Request& request, const Arguments& args);
// connections.cc
Result<Reply> request_connection(Services& services, const http::Request& request,
                                 const Arguments& args);
Result<Reply> check_connection(Services& services, const http::Request& request,
                               const Arguments& args);
Result<Reply> list_connections(Services& services, const http::Request& request,
                               const Arguments& args);
Result<Reply> show_connection(Services& services, const http::Request& request,
                              const Arguments& args);
Result<Reply> edit_connection(Services& services, const http::Request& request,
                              const Arguments& args);
Result<Reply> delete_connection(Services& services, const http::Request& request,
                                const Arguments& args);
// providers.cc
Result<Reply> add_provider(Services& services, const http::Request& request, const Arguments& args);
Result<Reply> provider_metadata(Services& services, const http::Request& request,
                                const Arguments& args);
Result<Reply> list_providers(Services& services, const http::Request& request,
                             const Arguments& args);
Result<Reply> show_provider(Services& services, const http::Request& request,
                            const Arguments& args);
Result<Reply> show_provider_named(Services& services, const http::Request& request,
                                  const Arguments& args);
Result<Reply> delete_provider(Services& services, const http::Request& request,
                              const Arguments& args);
Result<Reply> delete_provider_named(Services& services, const http::Request& request,
                                    const Arguments& args);
// tokens.cc
void get_token(Services& services, const http::Request& request, const Arguments& args,
               http::Respond respond);
void refresh_token(Services& services, const http::Request& request, const Arguments& args,
                   http::Respond respond);

}  // namespace nexus::api
