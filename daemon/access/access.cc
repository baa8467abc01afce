#include "daemon/access/access.h"

#include <algorithm>

#include "common/id.h"
#include "common/json.h"
#include "common/text.h"
#include "common/text_fault.h"
#include "daemon/connection_errors.h"

namespace nexus {
namespace {

constexpr std::pair<Grant::Over, std::string_view> kPrefixes[] = {
    {Grant::Over::workspace, "workspace:"}, {Grant::Over::provider, "provider:"}};

constexpr std::pair<Right, const char*> kRights[] = {
    {Right::read, "read"}, {Right::forward, "forward"}, {Right::use, "use"}};

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
    if (text.starts_with(prefix) && text.size() > prefix.size() && text.size() <= 300 &&
        fault_of_text(text).empty()) {
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

std::vector<std::string> grants_of(const Access& access, Right right) {
  std::vector<std::string> texts;
  for (const auto& grant : access.grants)
    if (grant.right == right) texts.push_back(grant.text());
  return texts;
}

std::string to_text(const Access& access) {
  JsonWriter to;
  to.begin().flag("admin", access.admin);
  for (const auto& [right, word] : kRights) to.member(word, grants_of(access, right));
  if (!access.rules.empty()) to.member("rules", access.rules.texts());
  return to.end().take();
}

Result<Access> read_access(const JsonFields& from) {
  Access access;
  NEXUS_CHECK(from.flag("admin", access.admin));
  for (const auto& [right, word] : kRights) {
    std::vector<std::string> texts;
    NEXUS_CHECK(from.texts(word, texts));
    for (const auto& text : texts) {
      NEXUS_TRY(auto grant, Grant::parse(right, text));
      access.grants.push_back(std::move(grant));
    }
  }
  std::vector<std::string> rules;
  NEXUS_CHECK(from.texts("rules", rules));
  NEXUS_TRY(access.rules, RouteRules::parse(rules));
  if (!rules.empty() && (access.admin || !grants_of(access, Right::use).empty()))
    return Error{ErrorCode::invalid_field, "rules do not bind a key that has the credentials",
                 "give --forward alone with them"};
  if (!access.admin && access.grants.empty())
    return Error{ErrorCode::missing_fields, "the key would not be allowed anything",
                 "give --use, --forward, --read or --admin"};
  return access;
}

Result<Access> access_from_text(std::string_view json) {
  NEXUS_TRY(const auto fields, JsonFields::parse(json));
  return read_access(fields);
}

std::shared_ptr<const Access> access_of_members() {
  return std::make_shared<const Access>(
      Access{.grants = {{Right::use, Grant::Over::all, {}}}, .only_uses = true});
}

bool is_for(const Caller& caller, Right right, const ConnectionRow& connection) {
  if (!caller.access) return false;
  const auto& grants = caller.access->grants;
  return std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
    return grant.right >= right && grant.over == Grant::Over::connection &&
           grant.name == connection.id;
  });
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
  if (caller.access->only_uses) return false;
  const auto& grants = caller.access->grants;
  return std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
    return grant.right == Right::use && covers(grant, workspace, provider);
  });
}

bool is_admin(const Caller& caller) {
  return !caller.access || caller.access->admin;
}

bool may_see_provider(const Caller& caller, std::string_view name) {
  if (is_admin(caller)) return true;
  const auto& grants = caller.access->grants;
  return std::any_of(grants.begin(), grants.end(), [name](const Grant& grant) {
    return grant.over == Grant::Over::workspace || covers(grant, "", name);
  });
}

bool may_see_all(const Caller& caller) {
  if (is_admin(caller)) return true;
  const auto& grants = caller.access->grants;
  return std::any_of(grants.begin(), grants.end(),
                     [](const Grant& grant) { return grant.over == Grant::Over::all; });
}

Result<void> require(const Caller& caller, Right right, const ConnectionRow& connection,
                     const std::string& reference) {
  if (may(caller, right, connection)) return {};
  const auto lacks = [&](const std::string& what, const std::string& option) {
    return Error{
        ErrorCode::access_denied, "this API key may " + what,
        "make a key that may: nexus key create --name NAME " + option + " " + connection.id,
        connection.id, connection.provider_name};
  };
  if (may(caller, Right::forward, connection))
    return lacks("have requests sent on for the connection, not have its credentials", "--use");
  if (may(caller, Right::read, connection))
    return lacks("look at the connection, not use it",
                 right == Right::forward ? "--forward" : "--use");
  auto hidden = no_such_connection(reference);
  hidden.code = ErrorCode::connection_out_of_scope;
  return hidden;
}

}  // namespace nexus
