#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace nexus {

/// Everything that can go wrong, once. The table in error.cc gives each its stable wire code, the
/// connection's status word, its HTTP status and its exit code; nobody else maps errors.
enum class ErrorCode : std::uint8_t {
  invalid_json,
  missing_fields,
  invalid_field,
  invalid_state,
  return_url_not_allowed,
  unsupported_auth_type,
  static_token,
  no_refresh_token,
  invalid_credentials,
  provider_not_validatable,
  missing_workspace_id,
  invalid_since,
  connection_pending,
  connection_failed,
  wait_timeout,
  missing_api_key,
  invalid_api_key,
  access_denied,
  scope_not_allowed,
  host_not_allowed,
  route_not_allowed,
  upgrade_not_allowed,
  use_refused,
  confirmation_required,
  confirmation_refused,
  connection_not_found,
  connection_out_of_scope,
  provider_not_found,
  schema_not_found,
  key_not_found,
  not_found,
  method_not_allowed,
  attention_required,
  connection_moving,
  connection_ambiguous,
  connection_exists,
  refresh_token_rotates,
  provider_exists,
  alias_taken,
  name_taken,
  key_exists,
  environment_key,
  callback_unavailable,
  connection_revoked,
  body_too_large,
  headers_too_large,
  misdirected_request,
  unsupported_media_type,
  not_implemented,
  rate_limited,
  overloaded,
  internal_error,
  audit_unavailable,
  provider_misconfigured,
  provider_metadata_invalid,
  provider_protocol,
  invalid_id_token,
  provider_rejected,
  upstream_error,
  upstream_timeout,
  invalid_bundle,
  bundle_key_wrong,
  invalid_backup,
  vault_locked,
  vault_key_wrong,
  vault_unusable,
  daemon_unreachable,
  daemon_running,
  usage,
  command_not_executable,
  command_not_found,
  interrupted,
  failure,
};

struct ErrorInfo {
  ErrorCode code;
  const char* wire;    ///< stable: clients and scripts compare it
  const char* status;  ///< the connection's state where that is the cause, else "error"
  int http_status;
  int exit_code;  ///< nexus(1), EXIT STATUS
};

const ErrorInfo& info(ErrorCode code);

/// The error that a wire code and status word stand for; `failure` when the code is unknown.
ErrorCode error_from_wire(std::string_view wire, std::string_view status);

/// A failure as a value. `message` says what is wrong, `hint` what to do about it. Neither ever
/// holds a secret: both reach terminals, logs and other programs.
struct Error {
  ErrorCode code = ErrorCode::failure;
  std::string message;
  std::string hint{};
  std::string connection_id{};
  std::string provider{};
  std::string field{};    ///< of what came from outside: the member that is wrong, "params.pkce"
  int retry_after_s = 0;  ///< 0: the caller is told nothing about when to try again
  /// The request may have arrived although no answer came: what it asked for may be done.
  bool may_have_arrived = false;
  /// Where nobody can listen for a consent's answer: it may be given on another device instead.
  bool device_supported = false;
  /// Of a use that a person has to confirm: what they are asked, and what the caller sends with the
  /// request that it makes once more when they have said yes.
  std::string question{};
  std::string nonce{};

  const char* wire() const { return info(code).wire; }
  int exit_code() const { return info(code).exit_code; }
};

/// Either a value or the Error that stood in its way (std::expected comes with C++23).
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  Error& error() & { return error_; }
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool ok_ = true;
};

#define NEXUS_CONCAT_(a, b) a##b
#define NEXUS_CONCAT(a, b) NEXUS_CONCAT_(a, b)
/// NEXUS_TRY(auto x, f()): x is the value of f(), or this function returns f()'s error.
#define NEXUS_TRY(declaration, expression)                                                         \
  auto NEXUS_CONCAT(result_, __LINE__) = (expression);                                             \
  if (!NEXUS_CONCAT(result_, __LINE__)) return std::move(NEXUS_CONCAT(result_, __LINE__)).error(); \
  declaration = *std::move(NEXUS_CONCAT(result_, __LINE__))
/// NEXUS_CHECK(f()): goes on when f() succeeded, else this function returns its error.
#define NEXUS_CHECK(expression) \
  if (auto result_ = (expression); !result_) return std::move(result_).error()

}  // namespace nexus
