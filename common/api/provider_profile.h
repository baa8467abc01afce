#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/api/words.h"

namespace nexus::api {

/// What a provider is registered with, but for its secret, its grant and its settings. The fields
/// and their names are those of the published contract (openapi.yaml, Provider); the last four are
/// ours.
struct ProviderProfile {
  std::string id;
  std::string name;
  AuthType auth_type = AuthType::oauth2;
  std::string auth_header;  ///< client authentication method, "" to follow the metadata
  std::string client_id;
  std::string auth_url;
  std::string token_url;
  std::string issuer;
  bool enable_discovery = true;
  std::vector<std::string> scopes;  ///< asked for when a request names none
  std::string api_base_url;
  std::string user_info_endpoint;
  std::string description;
  std::string category;
  std::string redirect_host;  ///< "localhost" for providers that insist, else the configured one
  std::string redirect_path;  ///< settled when it is registered
  bool allow_insecure_http = false;
  bool allow_private_network = false;
};

/// The members that are plain texts (but for the id), and those that are true or false, by their
/// names on the wire.
std::span<const std::pair<const char*, std::string ProviderProfile::*>> profile_texts();
std::span<const std::pair<const char*, bool ProviderProfile::*>> profile_switches();

}  // namespace nexus::api
