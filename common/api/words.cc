#include "common/api/words.h"

namespace nexus {
namespace {

constexpr const char* kConnectionStatuses[] = {"pending", "active", "attention_required",
                                               "moving",  "failed", "revoked"};
constexpr const char* kAuthTypes[] = {"oauth2",      "api_key",      "basic_auth", "header",
                                      "query_param", "hmac_payload", "aws_sigv4"};
constexpr const char* kFlowKinds[] = {"code", "device", "capture", "unattended"};
constexpr const char* kSecretFields[] = {"access_token", "refresh_token", "id_token",
                                         "nonce",        "code_verifier", "device_code",
                                         "credentials",  "client_secret"};
constexpr const char* kAuditEvents[] = {"connection.created",
                                        "connection.updated",
                                        "connection.revoked",
                                        "connection.exported",
                                        "connection.imported",
                                        "oauth_flow_completed",
                                        "oauth_error",
                                        "token_exchange_failed",
                                        "state_verification_failed",
                                        "client_grant_used",
                                        "grant_adopted",
                                        "credential_captured",
                                        "credential_refused",
                                        "token_retrieved",
                                        "token_retrieval_failed",
                                        "request_forwarded",
                                        "token_refreshed",
                                        "token_refresh_failed",
                                        "token_refresh_fatal",
                                        "refresh_token_reuse_suspected",
                                        "grant_revoked",
                                        "grant_not_revoked",
                                        "provider.created",
                                        "provider.updated",
                                        "provider.deleted",
                                        "key.created",
                                        "key.revoked",
                                        "api_key_refused",
                                        "peer_refused",
                                        "audit_pruned",
                                        "audit_damaged",
                                        "vault.locked",
                                        "vault.unlocked",
                                        "vault.key_changed",
                                        "vault.rotated",
                                        "vault.suspected",
                                        "vault.accepted",
                                        "vault.backed_up",
                                        "vault.restored"};
constexpr const char* kAuditOutcomes[] = {"success", "failure", "refused"};
constexpr const char* kAuditFaults[] = {"altered", "missing", "lost", "cut", "beginning", "head"};
constexpr const char* kKeySources[] = {"file",    "environment", "credential", "keyring",
                                       "command", "passphrase",  "memory"};
constexpr const char* kPlanActions[] = {"create", "update", "unchanged", "orphan", "delete"};

/// One word for each value: `last` is the enum's last one.
template <class Enum, std::size_t count>
constexpr bool complete(const char* const (&)[count], Enum last) {
  return count == static_cast<std::size_t>(last) + 1;
}
static_assert(complete(kConnectionStatuses, ConnectionStatus::revoked));
static_assert(complete(kAuthTypes, AuthType::aws_sigv4));
static_assert(complete(kFlowKinds, FlowKind::unattended));
static_assert(complete(kSecretFields, SecretField::client_secret));
static_assert(complete(kAuditEvents, AuditEvent::vault_restored));
static_assert(complete(kAuditOutcomes, AuditOutcome::refused));
static_assert(complete(kAuditFaults, AuditFault::head));
static_assert(complete(kKeySources, KeySource::memory));
static_assert(complete(kPlanActions, PlanAction::removal));

}  // namespace

template <>
std::span<const char* const> words<ConnectionStatus>() {
  return kConnectionStatuses;
}
template <>
std::span<const char* const> words<AuthType>() {
  return kAuthTypes;
}
template <>
std::span<const char* const> words<FlowKind>() {
  return kFlowKinds;
}
template <>
std::span<const char* const> words<SecretField>() {
  return kSecretFields;
}
template <>
std::span<const char* const> words<AuditEvent>() {
  return kAuditEvents;
}
template <>
std::span<const char* const> words<AuditOutcome>() {
  return kAuditOutcomes;
}
template <>
std::span<const char* const> words<AuditFault>() {
  return kAuditFaults;
}
template <>
std::span<const char* const> words<KeySource>() {
  return kKeySources;
}
template <>
std::span<const char* const> words<PlanAction>() {
  return kPlanActions;
}

}  // namespace nexus
