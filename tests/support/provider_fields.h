#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace nexus::test {

// Registrations of providers at https://NAME.example, with the fields of POST /v1/providers.

/// An OAuth provider without an issuer, and a client that has a secret.
nlohmann::json provider_fields(const std::string& name = "acme");
/// One with an issuer, asked for the scope openid.
nlohmann::json openid_fields(const std::string& name = "acme");
/// One that an API key is pasted for, which nobody checks.
nlohmann::json key_fields(const std::string& name = "keyed");

}  // namespace nexus::test
