#include "daemon/oauth/account.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"

namespace nexus {

std::string account_in(const Json& document) {
  if (!document.is_object()) return {};
  for (const char* name :
       {"email", "mail", "preferred_username", "userPrincipalName", "login", "username",
        "user_name", "nickname", "display_name", "displayName", "name"})
    if (const auto value = text_member(document, name); value && !value->empty())
      return printable(*value, 200);
  // Many APIs wrap the account in one object.
  for (const char* name : {"user", "data", "me", "account", "profile"})
    if (const auto inner = document.find(name); inner != document.end() && inner->is_object())
      if (auto account = account_in(*inner); !account.empty()) return account;
  return {};
}

std::string account_id_in(const Json& document) {
  if (!document.is_object()) return {};
  for (const char* name : {"sub", "id", "user_id", "account_id", "uid", "gid"})
    if (const auto found = document.find(name); found != document.end())
      if (found->is_string() || found->is_number_integer())
        return printable(plain_text(to_text(*found)), 200);
  for (const char* name : {"user", "data", "me", "account", "profile"})
    if (const auto inner = document.find(name); inner != document.end())
      if (auto id = account_id_in(*inner); !id.empty()) return id;
  return {};
}

}  // namespace nexus
