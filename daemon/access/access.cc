#include "daemon/access/access.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/id.h"
#include "common/json.h"
#include "common/text.h"
#include "daemon/connection_errors.h"

namespace nexus {
namespace {

constexpr std::pair<Grant::Over, std::string_view> kPrefixes[] = {
    {Grant::Over::workspace, "workspace:"}, {Grant::Over::provider, "provider:"}};

constexpr std::pair<Right, const char*> kRights[] = {{Right::read, "read"}, {Right::use, "use"}};

constexpr std::size_t kMostGrants = 200;

bool covers(const Grant& grant, std::string_view workspace, std::string_view provider) {
  switch (grant.over) {
    case Grant::Over::all:
      return true;
    case Grant::Over::workspace:
      return grant.name == workspace;
    case Grant::Over::provider:
      return grant.name == provider;
    case Grant::Over::connection:
      return false;
  }
  return false;
}

bool covers(const Grant& grant, const ConnectionRow& row) {
  return grant.over == Grant::Over::connection ? grant.name == row.id
                                               : covers(grant, row.workspace, row.provider_name);
}

}  // namespace

Result<Grant> Grant::parse(Right right, std::string_view text) {
  if (text == "all") return Grant{right, Over::all, {}};
  if (is_connection_id(text)) return Grant{right, Over::connection, std::string(text)};
  for (const auto& [over, prefix] : kPrefixes)
    if (text.starts_with(prefix) && text.size() > prefix.size() && text.size() <= 300) {
      const auto name = text.substr(prefix.size());
      return Grant{right, over, over == Over::provider ? lower(name) : std::string(name)};
    }
  return Error{ErrorCode::invalid_field,
               "'" + printable(text, 80) + "' does not say what the key is for",
               "use all, workspace:NAME, provider:NAME or a connection's id"};
}

std::string Grant::text() const {
  if (over == Over::all) return "all";
  for (const auto& [kind, prefix] : kPrefixes)
    if (kind == over) return std::string(prefix) + name;
  return name;
}

Json to_json(const Access& access) {
  Json json{{"admin", access.admin}};
  for (const auto& [right, word] : kRights) {
    json[word] = Json::array();
    for (const auto& grant : access.grants)
      if (grant.right == right) json[word].push_back(grant.text());
  }
  return json;
}

Result<Access> access_from_json(const Json& json) {
  const auto bad = [](const std::string& what) {
    return Error{ErrorCode::invalid_field, what, "correct the field and try again"};
  };
  Access access;
  if (const auto admin = json.find("admin"); admin != json.end() && !admin->is_null()) {
    if (!admin->is_boolean()) return bad("admin has to be true or false");
    access.admin = admin->get<bool>();
  }
  for (const auto& [right, word] : kRights) {
    const auto list = json.find(word);
    if (list == json.end() || list->is_null()) continue;
    if (!list->is_array() || list->size() > kMostGrants)
      return bad(std::string(word) + " has to be a list of texts");
    for (const auto& item : *list) {
      if (!item.is_string()) return bad(std::string(word) + " has to be a list of texts");
      NEXUS_TRY(auto grant, Grant::parse(right, item.get_ref<const std::string&>()));
      access.grants.push_back(std::move(grant));
    }
  }
  if (!access.admin && access.grants.empty())
    return Error{ErrorCode::missing_fields, "the key would not be allowed anything",
                 "give --use, --read or --admin"};
  return access;
}

bool may(const Caller& caller, Right right, const ConnectionRow& connection) {
  if (is_admin(caller)) return true;
  const auto& grants = caller.access->grants;
  return std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
    return grant.right >= right && covers(grant, connection);
  });
}

bool may_connect(const Caller& caller, std::string_view workspace, std::string_view provider) {
  if (is_admin(caller)) return true;
  const auto& grants = caller.access->grants;
  return std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
    return grant.right == Right::use && covers(grant, workspace, provider);
  });
}

bool is_admin(const Caller& caller) {
  return !caller.access || caller.access->admin;
}

Result<void> require(const Caller& caller, Right right, const ConnectionRow& connection,
                     const std::string& reference) {
  if (may(caller, right, connection)) return {};
  if (may(caller, Right::read, connection))
    return Error{ErrorCode::access_denied, "this API key may look at the connection, not use it",
                 "make a key that may: nexus key create --use " + connection.id, connection.id,
                 connection.provider_name};
  auto hidden = no_such_connection(reference);
  hidden.code = ErrorCode::connection_out_of_scope;
  return hidden;
}

}  // namespace nexus
