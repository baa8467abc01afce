#include "common/error.h"

#include <array>

namespace nexus {
namespace {

constexpr std::array kTable{
    ErrorInfo{ErrorCode::invalid_json, "invalid_json", "error", 400, 2},
    ErrorInfo{ErrorCode::missing_fields, "missing_fields", "error", 400, 2},
    ErrorInfo{ErrorCode::invalid_field, "invalid_field", "error", 400, 2},
    ErrorInfo{ErrorCode::invalid_state, "invalid_state", "error", 400, 1},
    ErrorInfo{ErrorCode::return_url_not_allowed, "return_url_not_allowed", "error", 400, 2},
    ErrorInfo{ErrorCode::unsupported_auth_type, "unsupported_auth_type", "error", 400, 2},
    ErrorInfo{ErrorCode::static_token, "static_token", "error", 400, 1},
    ErrorInfo{ErrorCode::no_refresh_token, "no_refresh_token", "error", 400, 1},
    ErrorInfo{ErrorCode::invalid_credentials, "invalid_credentials", "error", 400, 2},
    ErrorInfo{ErrorCode::provider_not_validatable, "provider_not_validatable", "error", 400, 1},
    ErrorInfo{ErrorCode::missing_workspace_id, "missing_workspace_id", "error", 400, 2},
    ErrorInfo{ErrorCode::invalid_since, "invalid_since", "error", 400, 2},
    ErrorInfo{ErrorCode::connection_pending, "connection_not_active", "pending", 400, 3},
    ErrorInfo{ErrorCode::connection_failed, "connection_not_active", "failed", 400, 5},
    ErrorInfo{ErrorCode::wait_timeout, "wait_timeout", "pending", 400, 3},
    ErrorInfo{ErrorCode::missing_api_key, "missing_api_key", "error", 401, 9},
    ErrorInfo{ErrorCode::invalid_api_key, "invalid_api_key", "error", 401, 9},
    ErrorInfo{ErrorCode::access_denied, "access_denied", "error", 403, 9},
    ErrorInfo{ErrorCode::scope_not_allowed, "scope_not_allowed", "error", 403, 9},
    ErrorInfo{ErrorCode::host_not_allowed, "host_not_allowed", "error", 403, 9},
    ErrorInfo{ErrorCode::route_not_allowed, "route_not_allowed", "error", 403, 9},
    ErrorInfo{ErrorCode::upgrade_not_allowed, "upgrade_not_allowed", "error", 403, 9},
    ErrorInfo{ErrorCode::use_refused, "use_refused", "error", 403, 9},
    ErrorInfo{ErrorCode::confirmation_required, "confirmation_required", "error", 403, 9},
    ErrorInfo{ErrorCode::confirmation_refused, "confirmation_refused", "error", 403, 9},
    ErrorInfo{ErrorCode::connection_not_found, "connection_not_found", "error", 404, 6},
    ErrorInfo{ErrorCode::connection_out_of_scope, "connection_not_found", "error", 404, 6},
    ErrorInfo{ErrorCode::provider_not_found, "provider_not_found", "error", 404, 6},
    ErrorInfo{ErrorCode::schema_not_found, "schema_not_found", "error", 404, 6},
    ErrorInfo{ErrorCode::key_not_found, "key_not_found", "error", 404, 6},
    ErrorInfo{ErrorCode::not_found, "not_found", "error", 404, 6},
    ErrorInfo{ErrorCode::method_not_allowed, "method_not_allowed", "error", 405, 1},
    ErrorInfo{ErrorCode::attention_required, "attention_required", "attention_required", 409, 4},
    ErrorInfo{ErrorCode::connection_moving, "connection_moving", "attention_required", 409, 4},
    ErrorInfo{ErrorCode::connection_ambiguous, "connection_ambiguous", "error", 409, 2},
    ErrorInfo{ErrorCode::connection_exists, "connection_exists", "error", 409, 2},
    ErrorInfo{ErrorCode::refresh_token_rotates, "refresh_token_rotates", "error", 409, 2},
    ErrorInfo{ErrorCode::provider_exists, "provider_exists", "error", 409, 2},
    ErrorInfo{ErrorCode::alias_taken, "alias_taken", "error", 409, 2},
    ErrorInfo{ErrorCode::name_taken, "name_taken", "error", 409, 2},
    ErrorInfo{ErrorCode::key_exists, "key_exists", "error", 409, 2},
    ErrorInfo{ErrorCode::environment_key, "environment_key", "error", 409, 2},
    ErrorInfo{ErrorCode::callback_unavailable, "callback_unavailable", "error", 409, 1},
    ErrorInfo{ErrorCode::connection_revoked, "connection_revoked", "revoked", 410, 6},
    ErrorInfo{ErrorCode::body_too_large, "body_too_large", "error", 413, 2},
    ErrorInfo{ErrorCode::headers_too_large, "headers_too_large", "error", 431, 2},
    ErrorInfo{ErrorCode::misdirected_request, "misdirected_request", "error", 421, 2},
    ErrorInfo{ErrorCode::unsupported_media_type, "unsupported_media_type", "error", 415, 2},
    ErrorInfo{ErrorCode::not_implemented, "not_implemented", "error", 501, 1},
    ErrorInfo{ErrorCode::rate_limited, "rate_limited", "error", 429, 10},
    ErrorInfo{ErrorCode::overloaded, "overloaded", "error", 503, 10},
    ErrorInfo{ErrorCode::internal_error, "internal_error", "error", 500, 1},
    ErrorInfo{ErrorCode::audit_unavailable, "audit_unavailable", "error", 500, 1},
    ErrorInfo{ErrorCode::provider_misconfigured, "provider_misconfigured", "error", 500, 1},
    ErrorInfo{ErrorCode::provider_metadata_invalid, "provider_metadata_invalid", "error", 500, 1},
    ErrorInfo{ErrorCode::provider_protocol, "provider_protocol", "error", 502, 10},
    ErrorInfo{ErrorCode::invalid_id_token, "provider_protocol", "error", 502, 10},
    ErrorInfo{ErrorCode::provider_rejected, "provider_rejected", "error", 400, 1},
    ErrorInfo{ErrorCode::upstream_error, "upstream_error", "error", 502, 10},
    ErrorInfo{ErrorCode::upstream_timeout, "upstream_timeout", "error", 504, 10},
    ErrorInfo{ErrorCode::invalid_bundle, "invalid_bundle", "error", 400, 2},
    ErrorInfo{ErrorCode::bundle_key_wrong, "bundle_key_wrong", "error", 403, 7},
    ErrorInfo{ErrorCode::invalid_backup, "invalid_backup", "error", 400, 2},
    ErrorInfo{ErrorCode::vault_locked, "vault_locked", "error", 503, 7},
    ErrorInfo{ErrorCode::vault_key_wrong, "vault_key_wrong", "error", 500, 7},
    ErrorInfo{ErrorCode::vault_unusable, "vault_unusable", "error", 500, 7},
    ErrorInfo{ErrorCode::daemon_unreachable, "daemon_unreachable", "error", 503, 8},
    // nexusd's alone: nexus then talks to the one that runs.
    ErrorInfo{ErrorCode::daemon_running, "daemon_running", "error", 503, 11},
    ErrorInfo{ErrorCode::usage, "usage", "error", 400, 2},
    // As a shell tells of a program that it cannot run, and of one that SIGINT has ended.
    ErrorInfo{ErrorCode::command_not_executable, "command_not_executable", "error", 400, 126},
    ErrorInfo{ErrorCode::command_not_found, "command_not_found", "error", 400, 127},
    ErrorInfo{ErrorCode::interrupted, "interrupted", "error", 400, 130},
    ErrorInfo{ErrorCode::failure, "failure", "error", 500, 1},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i)
    if (static_cast<std::size_t>(kTable[i].code) != i) return false;
  return true;
}
static_assert(in_order() && kTable.size() == static_cast<std::size_t>(ErrorCode::failure) + 1,
              "one row for each ErrorCode, in the enum's order");

}  // namespace

const ErrorInfo& info(ErrorCode code) {
  return kTable[static_cast<std::size_t>(code)];
}

ErrorCode error_from_wire(std::string_view wire, std::string_view status) {
  ErrorCode same_wire = ErrorCode::failure;
  for (const auto& row : kTable) {
    if (wire != row.wire) continue;
    if (status == row.status) return row.code;
    if (same_wire == ErrorCode::failure) same_wire = row.code;
  }
  return same_wire;
}

}  // namespace nexus
