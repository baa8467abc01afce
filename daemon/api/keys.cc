#include "common/api/key.h"
#include "daemon/access/access.h"
#include "daemon/api/handlers.h"
#include "daemon/api/paging.h"

namespace nexus::api {
namespace {

Key describe(const ApiKeyRow& row, const std::string& variable = {}) {
  Access access;  // of one whose record cannot be read: it may do nothing
  Key key;
  if (auto read = access_from_text(row.access))
    access = *std::move(read);
  else
    key.damaged = true;
  key.id = row.id;
  key.name = row.name;
  key.admin = access.admin;
  key.use = grants_of(access, Right::use);
  key.forward = grants_of(access, Right::forward);
  key.read = grants_of(access, Right::read);
  key.rules = access.rules.texts();
  key.variable = variable;
  if (variable.empty()) key.created_at = row.created_at;
  key.expires_at = row.expires_at;
  key.last_used_at = row.last_used_at;
  return key;
}

}  // namespace

Result<Reply> create_key(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto body, read_body(request));
  std::string name;
  NEXUS_CHECK(body.text("name", name));
  if (name.empty())
    return Error{ErrorCode::missing_fields, "name is missing", "name the key, for example ci"};
  NEXUS_TRY(const auto access, read_access(body));
  std::optional<UnixTime> expires_at;
  NEXUS_CHECK(body.number("expires_at", expires_at));
  NEXUS_TRY(const auto issued, services.api_keys.create(name, access, expires_at, request.caller));
  auto key = describe(issued.row);
  key.key = issued.key.expose();
  return Reply{to_json(key), 201};
}

Result<Reply> list_keys(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto slice, slice_of(request));
  NEXUS_TRY(const auto keys, services.api_keys.list({slice.cursor, slice.limit}));
  std::vector<Key> list;
  for (const auto& [row, variable] : keys) list.push_back(describe(row, variable));
  return paged(list, request, slice, list.empty() ? "" : list.back().name);
}

Result<Reply> revoke_key(Services& services, const http::Request& request, const Arguments& args) {
  NEXUS_TRY(const auto row, services.api_keys.revoke(args[0], request.caller));
  return removed(row.id, row.name, "key revoked");
}

}  // namespace nexus::api
