#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/api/handlers.h"
#include "daemon/api/paging.h"

namespace nexus::api {
namespace {

Json describe(const ApiKeyRow& row) {
  auto json = Json::parse(row.access);
  json["id"] = row.id;
  json["name"] = row.name;
  json["created_at"] = row.created_at;
  json["expires_at"] = row.expires_at ? Json(*row.expires_at) : Json(nullptr);
  return json;
}

}  // namespace

Result<Reply> create_key(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto body, read_body(request));
  const auto name = text_member(body, "name");
  if (!name)
    return Error{ErrorCode::missing_fields, "name is missing", "name the key, for example ci"};
  NEXUS_TRY(const auto access, access_from_json(body));
  std::optional<UnixTime> expires_at;
  if (const auto found = body.find("expires_at"); found != body.end() && !found->is_null()) {
    if (!found->is_number_integer())
      return Error{ErrorCode::invalid_field, "expires_at has to be Unix seconds",
                   "correct the field and try again"};
    expires_at = found->get<UnixTime>();
  }
  NEXUS_TRY(const auto issued, services.api_keys.create(*name, access, expires_at, request.caller));
  auto answer = describe(issued.row);
  answer["key"] = issued.key.expose();
  return Reply{std::move(answer), 201};
}

Result<Reply> list_keys(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto slice, slice_of(request));
  NEXUS_TRY(const auto rows, services.api_keys.list({slice.cursor, slice.limit}));
  Json list = Json::array();
  for (const auto& row : rows) list.push_back(describe(row));
  return paged(std::move(list), request, slice, rows.empty() ? "" : rows.back().name);
}

Result<Reply> revoke_key(Services& services, const http::Request& request, const Arguments& args) {
  NEXUS_TRY(const auto row, services.api_keys.revoke(args[0], request.caller));
  return Reply{{{"id", row.id}, {"name", row.name}, {"message", "key revoked"}}};
}

}  // namespace nexus::api
