#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/oauth/dialect.h"

namespace nexus {

/// Everything that a provider's `params` can say, read once where it comes in. One table
/// (settings.cc) has a line for each setting: its name, its kind, for whom it is and where it goes.
struct ProviderSettings {
  Dialect dialect;
  // Endpoints that the metadata does not name, or names wrongly.
  std::string revocation_endpoint;
  std::string device_authorization_endpoint;
  // The redirect URI.
  bool https_redirect = false;     ///< the provider takes none with http
  bool any_loopback_port = false;  ///< it takes any port of a loopback address (RFC 8252 7.3)
  bool sends_iss = false;  ///< `iss` comes with its answers, though its metadata does not say so
  // The provider's API.
  std::map<std::string, std::string> request_headers;  ///< added to every request
  std::vector<std::string> api_hosts;  ///< beside the API's own, credentials may go to these
  bool websocket = false;              ///< requests may go on as WebSockets
  /// How a static credential is used and asked for, as it was given: JSON objects, "" for none.
  /// What they mean is read by strategy/static_api.
  std::string auth_strategy;
  std::string credential_schema;
  std::string validation;
  std::map<std::string, std::string> strategy_config;  ///< header_name, service…: each a setting
  std::string catalog_entry;  ///< the catalogue's entry that it was made from
  std::string console_url;  ///< where people make its keys: the page that asks for one links there
  /// Every other text of an oauth2 provider goes into the authorization request.
  std::map<std::string, std::string> authorization_parameters;
  /// The settings that were given, also those at their defaults: what was said is shown.
  std::set<std::string> given;
  /// What is none of these is given back as it came, and nothing follows from it: JSON texts.
  std::map<std::string, std::string> others;
};

/// One line of the table.
struct Setting {
  enum class Kind { text, flag, number, words, texts, map, object };
  enum class For { oauth2, static_credentials, all };
  /// Where its value ends up.
  enum class Goes {
    authorization_request,
    token_request,
    assertion,
    api_request,
    nowhere,  ///< it steers nexusd
  };
  const char* name;
  Kind kind;
  For whom;
  Goes goes;
  std::vector<const char*> words;  ///< for Kind::words: those that it may be
};

std::span<const Setting> provider_settings();

/// Settings come as texts from a command line: those that are objects or lists are read as JSON.
/// Error: invalid_field, naming the setting.
Result<void> read_texts_as_json(nlohmann::json& params);

/// Errors: invalid_field, naming the setting.
Result<ProviderSettings> read_settings(const nlohmann::json& params, bool oauth2);
/// What to know of a parameter that is named almost like a setting, "" for nothing: it is taken as
/// it is, since any name may be a parameter.
std::string misspelt_setting(const ProviderSettings& settings);
/// The members of `params`: those that were given, or differ from their defaults.
nlohmann::json to_json(const ProviderSettings& settings);

}  // namespace nexus
