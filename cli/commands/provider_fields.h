#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"
#include "cli/output/table.h"
#include "common/api/provider.h"
#include "common/arguments.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// What was said of a provider; nothing where it was not.
struct ProviderArgs {
  std::string name;
  std::optional<std::string> auth_type;
  std::optional<std::string> issuer;
  std::optional<std::string> auth_url;
  std::optional<std::string> token_url;
  std::optional<std::string> client_id;
  std::optional<std::string> client_auth;
  std::optional<std::string> grant_type;
  std::optional<std::string> api_base_url;
  std::optional<std::string> user_info_endpoint;
  std::optional<std::string> redirect_host;
  std::optional<std::string> redirect_path;
  std::optional<bool> allow_insecure_http;
  std::optional<bool> allow_private_network;
  std::vector<std::string> scopes;
  std::vector<std::string> params;
  std::string client_secret;
  std::string client_secret_file;
  std::string private_key_file;
  std::string service_account_file;
  std::vector<std::string> variables;  ///< NAME=VALUE, for an entry of the catalogue
  std::string from;                    ///< the entry; "" for the one of the same name
  bool no_client_secret = false;
  bool replace = false;
};

/// Declares the options that `provider add` and `provider edit` share.
void add_fields(std::vector<Argument>& arguments, ProviderArgs& args);

/// The fields that were given, under their names on the wire; `params` are added to those there
/// are. Error: usage.
Result<nlohmann::json> fields_of(const ProviderArgs& args, nlohmann::json params);

/// What `provider edit` sends; nothing where nothing was said. Error: usage.
Result<std::optional<SecretText>> edit_of(const ProviderArgs& args, const api::Provider& before);

/// What a client proves itself with, and the member of a registration that takes it.
struct ClientProof {
  const char* member = "client_secret";  ///< or private_key, service_account
  Secret secret;

  bool empty() const { return secret.empty(); }
};

/// From the file that was named; an empty one where none was. Error: usage.
Result<ClientProof> client_proof_of(const ProviderArgs& args);

/// It joins the body as text that is wiped: nlohmann's own strings are not.
SecretText with_proof(std::string_view body, const ClientProof& proof);

/// NAME=VALUE words as a map. Error: usage; `option` is for its message.
Result<std::map<std::string, std::string>> pairs_of(const std::vector<std::string>& words,
                                                    const std::string& option);

/// Lines for a provider's parameters (each as JSON), as --param takes them; those that are objects
/// are hinted at, --json has them in full.
void add_parameters(Record& lines, const std::map<std::string, std::string>& params);

/// A provider's fields as a record, or as JSON; with what nexusd warned of.
void print_provider(const Output& output, const api::Provider& provider);

}  // namespace nexus::cli
