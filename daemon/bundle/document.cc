#include "daemon/bundle/document.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>

#include "common/id.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/text.h"

namespace nexus {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMost = 1000;  ///< providers, and connections
constexpr std::size_t kLongestJson = 512 * 1024;
constexpr std::size_t kLongestScopes = 64 * 1024;
/// Beyond the longest life that a provider can tell; times can be reckoned with up to here.
constexpr std::int64_t kLargest = std::int64_t{1} << 54;

/// What a connection holds while it is active; what only its flow needed is not among it.
constexpr SecretField kHeld[] = {SecretField::access_token, SecretField::refresh_token,
                                 SecretField::id_token, SecretField::nonce,
                                 SecretField::credentials};

Error bad(const std::string& what) {
  return {ErrorCode::invalid_bundle, "the bundle's document is not one of nexus: " + what,
          "export it anew; it was sealed by something else"};
}

void write(SecretJsonWriter& to, const BundledProvider& provider) {
  to.begin()
      .member("id", provider.id)
      .member("name", provider.name)
      .member_json("profile", provider.profile)
      .member("client_secret", provider.client_secret.expose())
      .end();
}

void write(SecretJsonWriter& to, const TokenFacts& token) {
  to.begin("token")
      .member("type", token.token_type)
      .member("scopes", token.scopes)
      .member("obtained_at", token.obtained_at)
      .member_or_null("expires_at", token.expires_at)
      .member_json("fields", token.token_fields.empty() ? "null" : token.token_fields)
      .end();
}

void write(SecretJsonWriter& to, const BundledConnection& connection) {
  const auto& row = connection.row;
  to.begin()
      .member("id", row.id)
      .member("provider_id", row.provider_id)
      .member("workspace", row.workspace)
      .member("auth_type", word(row.auth_type))
      .member("alias", row.alias)
      .member("requested_scopes", row.requested_scopes)
      .member("issuer", row.issuer)
      .member("subject", row.subject)
      .member("account", row.account)
      .member_json("metadata", row.metadata.empty() ? "null" : row.metadata)
      .member("created_at", row.created_at)
      .member_or_null("last_refresh_at", row.last_refresh_at)
      .member_or_null("refresh_at", row.refresh_at)
      .member("refresh_sent", row.refresh_sent)
      .member_json("endpoints", connection.pinned.empty() ? "null" : connection.pinned);
  write(to, row.token);
  to.begin("secrets");
  for (const auto& secret : connection.secrets)
    to.begin(word(secret.field))
        .member("value", secret.value.expose())
        .member("generation", secret.generation)
        .end();
  to.end().end();
}

/// The members of one object of the document: each is taken once, and none may be left.
class Members {
 public:
  Members(Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  /// Error where it is no object, or has a member that is none of these, or lacks one.
  Result<void> are(std::initializer_list<const char*> names) const {
    if (!object_.is_object()) return bad(where_ + " has to be an object");
    for (const auto* name : names)
      if (!object_.contains(name)) return bad(where_ + " has no " + name);
    if (object_.size() != names.size()) return bad(where_ + " has members that it must not have");
    return {};
  }
  Result<void> text(const char* name, std::string& into) const {
    if (!object_[name].is_string()) return bad(where_ + "." + name + " has to be a text");
    if (!JsonFields(object_).text(name, into))
      return bad(where_ + "." + name + " has characters or a length that it must not have");
    return {};
  }
  /// Some providers grant more of them than another text may hold.
  Result<void> scopes(const char* name, std::string& into) const {
    if (!object_[name].is_string()) return bad(where_ + "." + name + " has to be a text");
    const auto& scopes = object_[name].get_ref<const std::string&>();
    if (scopes.size() > kLongestScopes || !is_vschar(scopes))
      return bad(where_ + "." + name + " has characters or a length that it must not have");
    into = scopes;
    return {};
  }
  Result<void> number(const char* name, std::int64_t& into) const {
    std::optional<std::int64_t> number;
    NEXUS_CHECK(this->number(name, number));
    if (!number) return bad(where_ + "." + name + " has to be a number");
    into = *number;
    return {};
  }
  Result<void> number(const char* name, std::optional<std::int64_t>& into) const {
    if (object_[name].is_string() || !JsonFields(object_).number(name, into) ||
        into.value_or(0) > kLargest)
      return bad(where_ + "." + name + " has to be a number, and no larger than times are");
    return {};
  }
  /// An object as JSON; null is "".
  Result<void> object(const char* name, std::string& into) const {
    const auto& value = object_[name];
    if (!value.is_null() && !value.is_object())
      return bad(where_ + "." + name + " has to be an object");
    if (!JsonFields(object_).json(name, kLongestJson, into))
      return bad(where_ + "." + name + " is too long");
    return {};
  }
  Result<void> secret(const char* name, Secret& into) const {
    auto& value = object_[name];
    if (!value.is_string()) return bad(where_ + "." + name + " has to be a text");
    auto& text = value.get_ref<std::string&>();
    into = Secret(text);
    wipe(text);
    return {};
  }
  Result<void> list(const char* name) const {
    if (!object_[name].is_array() || object_[name].size() > kMost)
      return bad(where_ + "." + name + " has to be a list of " + std::to_string(kMost) +
                 " at the most");
    return {};
  }
  Json& at(const char* name) const { return object_[name]; }

 private:
  Json& object_;
  std::string where_;
};

Result<BundledProvider> read_provider(Json& json) {
  const Members members(json, "a provider");
  NEXUS_CHECK(members.are({"id", "name", "profile", "client_secret"}));
  BundledProvider provider;
  NEXUS_CHECK(members.text("id", provider.id));
  NEXUS_CHECK(members.text("name", provider.name));
  NEXUS_CHECK(members.object("profile", provider.profile));
  NEXUS_CHECK(members.secret("client_secret", provider.client_secret));
  if (provider.id.empty() || provider.name.empty() || provider.profile.empty())
    return bad("a provider has no id, name or profile");
  return provider;
}

Result<void> read_token(Json& json, TokenFacts& token) {
  const Members members(json, "a token");
  NEXUS_CHECK(members.are({"type", "scopes", "obtained_at", "expires_at", "fields"}));
  NEXUS_CHECK(members.text("type", token.token_type));
  NEXUS_CHECK(members.scopes("scopes", token.scopes));
  NEXUS_CHECK(members.number("obtained_at", token.obtained_at));
  NEXUS_CHECK(members.number("expires_at", token.expires_at));
  return members.object("fields", token.token_fields);
}

Result<void> read_secrets(Json& json, std::vector<BundledSecret>& secrets) {
  if (!json.is_object()) return bad("the secrets have to be an object");
  for (auto& [name, value] : json.items()) {
    const auto field = from_word<SecretField>(name);
    if (!field || std::find(std::begin(kHeld), std::end(kHeld), *field) == std::end(kHeld))
      return bad("a connection holds no such secret");
    const Members members(value, "a secret");
    NEXUS_CHECK(members.are({"value", "generation"}));
    BundledSecret secret{.field = *field, .value = {}};
    NEXUS_CHECK(members.secret("value", secret.value));
    NEXUS_CHECK(members.number("generation", secret.generation));
    if (secret.value.empty() || secret.generation < 1) return bad("a secret is empty");
    secrets.push_back(std::move(secret));
  }
  return {};
}

bool holds(const BundledConnection& connection, SecretField field) {
  return std::any_of(connection.secrets.begin(), connection.secrets.end(),
                     [field](const BundledSecret& secret) { return secret.field == field; });
}

/// That it has what it would be given out for.
Result<void> check_held(const BundledConnection& connection) {
  const bool oauth = connection.row.auth_type == AuthType::oauth2;
  const bool usable =
      oauth ? !holds(connection, SecretField::credentials) &&
                  (holds(connection, SecretField::access_token) ||
                   holds(connection, SecretField::refresh_token))
            : connection.secrets.size() == 1 && holds(connection, SecretField::credentials);
  if (!usable || oauth == connection.pinned.empty())
    return bad("a connection's secrets are not those of its type");
  return {};
}

Result<BundledConnection> read_connection(Json& json) {
  const Members members(json, "a connection");
  NEXUS_CHECK(
      members.are({"id", "provider_id", "workspace", "auth_type", "alias", "requested_scopes",
                   "issuer", "subject", "account", "metadata", "created_at", "last_refresh_at",
                   "refresh_at", "refresh_sent", "endpoints", "token", "secrets"}));
  BundledConnection connection;
  auto& row = connection.row;
  const std::pair<const char*, std::string*> texts[] = {
      {"id", &row.id},          {"provider_id", &row.provider_id}, {"workspace", &row.workspace},
      {"alias", &row.alias},    {"issuer", &row.issuer},           {"subject", &row.subject},
      {"account", &row.account}};
  for (const auto& [name, into] : texts) NEXUS_CHECK(members.text(name, *into));
  NEXUS_CHECK(members.scopes("requested_scopes", row.requested_scopes));
  std::string type;
  NEXUS_CHECK(members.text("auth_type", type));
  const auto known = from_word<AuthType>(type);
  if (!known) return bad("a connection's type is unknown");
  row.auth_type = *known;
  row.status = ConnectionStatus::active;
  NEXUS_CHECK(members.object("metadata", row.metadata));
  NEXUS_CHECK(members.number("created_at", row.created_at));
  NEXUS_CHECK(members.number("last_refresh_at", row.last_refresh_at));
  NEXUS_CHECK(members.number("refresh_at", row.refresh_at));
  NEXUS_CHECK(members.number("refresh_sent", row.refresh_sent));
  NEXUS_CHECK(members.object("endpoints", connection.pinned));
  NEXUS_CHECK(read_token(members.at("token"), row.token));
  NEXUS_CHECK(read_secrets(members.at("secrets"), connection.secrets));
  if (!is_connection_id(row.id) || row.workspace.empty())
    return bad("a connection has no id or workspace");
  NEXUS_CHECK(check_held(connection));
  return connection;
}

/// Each once, and each connection with its provider.
Result<void> check_together(const BundleDocument& document) {
  std::set<std::string> ids;
  std::set<std::string> names;
  for (const auto& provider : document.providers)
    if (!ids.insert(provider.id).second || !names.insert(provider.name).second)
      return bad("a provider stands there twice");
  std::set<std::string> connections;
  for (const auto& each : document.connections) {
    if (!connections.insert(each.row.id).second) return bad("a connection stands there twice");
    if (!ids.contains(each.row.provider_id)) return bad("a connection's provider is missing");
  }
  return {};
}

}  // namespace

SecretText to_text(const BundleDocument& document) {
  SecretJsonWriter to;
  to.begin()
      .member("format", kFormat)
      .member("made_at", document.made_at)
      .flag("moved", document.moved)
      .begin_list("providers");
  for (const auto& provider : document.providers) write(to, provider);
  to.end_list().begin_list("connections");
  for (const auto& connection : document.connections) write(to, connection);
  return to.end_list().end().take();
}

Result<BundleDocument> bundle_from_text(std::string_view text) {
  auto parsed = parse_json_object(text);
  if (!parsed) return bad("it is no JSON object");
  const Members members(**parsed, "it");
  NEXUS_CHECK(members.are({"format", "made_at", "moved", "providers", "connections"}));
  std::int64_t format = 0;
  NEXUS_CHECK(members.number("format", format));
  if (format != kFormat)
    return Error{ErrorCode::invalid_bundle,
                 "the bundle is of another version of nexus, which this one does not know",
                 "open it with that version, or export it anew with this one"};
  BundleDocument document;
  NEXUS_CHECK(members.number("made_at", document.made_at));
  if (!members.at("moved").is_boolean()) return bad("it.moved has to be true or false");
  document.moved = members.at("moved").get<bool>();
  NEXUS_CHECK(members.list("providers"));
  NEXUS_CHECK(members.list("connections"));
  for (auto& json : members.at("providers")) {
    NEXUS_TRY(auto provider, read_provider(json));
    document.providers.push_back(std::move(provider));
  }
  for (auto& json : members.at("connections")) {
    NEXUS_TRY(auto connection, read_connection(json));
    document.connections.push_back(std::move(connection));
  }
  NEXUS_CHECK(check_together(document));
  return document;
}

}  // namespace nexus
