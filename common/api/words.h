#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nexus {

/// The states and kinds that are stored, sent and printed as words. Inside the programs they are
/// these enums; the one table of their words is in words.cc.

/// How a connection stands. Which state may follow which: daemon/store/transitions.h.
enum class ConnectionStatus : std::uint8_t {
  pending,             ///< a person's consent (or credentials) is awaited
  active,              ///< it has a token or credentials to give
  attention_required,  ///< the provider ended the grant: a person has to reconnect
  moving,   ///< a bundle was made of it that is to be its only holder; told as attention_required
  failed,   ///< it never became active
  revoked,  ///< it was disconnected
};

/// What kind of credentials a provider hands out.
enum class AuthType : std::uint8_t {
  oauth2,
  api_key,
  basic_auth,
  header,
  query_param,
  hmac_payload,
  aws_sigv4,
};

/// What a pending connection waits for.
enum class FlowKind : std::uint8_t {
  code,        ///< the answer of an authorization endpoint (RFC 6749 4.1)
  device,      ///< consent on another device (RFC 8628)
  capture,     ///< static credentials, typed into our page or sent by an application
  unattended,  ///< nobody: the provider is being asked right now
};

/// The sealed values of a provider or connection.
enum class SecretField : std::uint8_t {
  access_token,
  refresh_token,
  id_token,
  nonce,
  code_verifier,
  device_code,
  credentials,    ///< of a static connection: all of them, as one JSON object
  client_secret,  ///< of a provider; its private key where the client signs
};

/// What the audit log records.
enum class AuditEvent : std::uint8_t {
  connection_created,
  connection_updated,
  connection_revoked,
  connection_exported,
  connection_imported,
  oauth_flow_completed,
  oauth_error,
  token_exchange_failed,
  state_verification_failed,
  client_grant_used,
  grant_adopted,
  credential_captured,
  credential_refused,
  token_retrieved,
  token_retrieval_failed,
  request_forwarded,
  token_refreshed,
  token_refresh_failed,
  token_refresh_fatal,
  refresh_token_reuse_suspected,
  grant_revoked,
  grant_not_revoked,
  provider_created,
  provider_updated,
  provider_deleted,
  key_created,
  key_revoked,
  api_key_refused,
  peer_refused,
  audit_pruned,
  audit_damaged,
  vault_locked,
  vault_unlocked,
  vault_key_changed,
  vault_rotated,
  vault_suspected,
  vault_accepted,
  vault_backed_up,
  vault_restored,
};

enum class AuditOutcome : std::uint8_t { success, failure, refused };

/// What is not as it was written in the audit log.
enum class AuditFault : std::uint8_t {
  altered,    ///< a record's text, number or link in the chain is another one
  missing,    ///< records are not there
  lost,       ///< the same, and nexusd noticed it when it started, and put it on record
  cut,        ///< the newest ones are not there
  beginning,  ///< where the chain begins is gone, or not what was written
  head        ///< the same of what is beside the log (audit.head)
};

/// Where the vault's root key comes from.
enum class KeySource : std::uint8_t {
  file,         ///< vault.key in the data directory
  environment,  ///< NEXUS_ENCRYPTION_KEY
  credential,   ///< nexusd.vault.key, from the service manager
  keyring,      ///< the desktop's (Secret Service)
  command,      ///< what a program prints: vault.key_command
  passphrase,   ///< a person, who types it
  memory        ///< nowhere: the vault is in memory as well
};

/// What a manifest does to a provider.
enum class PlanAction : std::uint8_t {
  create,
  update,
  unchanged,
  orphan,   ///< it is registered, but not in the manifest
  removal,  ///< the same where that is to be mended
};

/// The words of an enum, in its order.
template <class Enum>
std::span<const char* const> words();
template <>
std::span<const char* const> words<ConnectionStatus>();
template <>
std::span<const char* const> words<AuthType>();
template <>
std::span<const char* const> words<FlowKind>();
template <>
std::span<const char* const> words<SecretField>();
template <>
std::span<const char* const> words<AuditEvent>();
template <>
std::span<const char* const> words<AuditOutcome>();
template <>
std::span<const char* const> words<AuditFault>();
template <>
std::span<const char* const> words<KeySource>();
template <>
std::span<const char* const> words<PlanAction>();

template <class Enum>
const char* word(Enum value) {
  return words<Enum>()[static_cast<std::size_t>(value)];
}

/// All of them, as a list to choose from.
template <class Enum>
std::vector<std::string> word_list() {
  const auto all = words<Enum>();
  return {all.begin(), all.end()};
}

/// Nothing for a word that is none of them.
template <class Enum>
std::optional<Enum> from_word(std::string_view text) {
  const auto all = words<Enum>();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (text == all[i]) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace nexus
