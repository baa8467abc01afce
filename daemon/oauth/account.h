#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace nexus {

/// Whose account it is, for people: e-mail, user name or name, as an id_token, a userinfo document
/// (OpenID Connect Core 5.1) or an API's own "who am I" tells it. "" where it tells none.
std::string account_in(const nlohmann::json& document);
/// By what the provider itself tells its accounts apart (sub, id…), for those that have no name.
std::string account_id_in(const nlohmann::json& document);

}  // namespace nexus
