#include "common/api/connection.h"

#include "common/rfc3339.h"

namespace nexus::api {
namespace {

Result<void> read_status(const Reader& from, ConnectionStatus& into) {
  const auto status = from.word<ConnectionStatus>("status");
  if (!status) return unknown_answer();
  into = *status;
  return {};
}

}  // namespace

Result<void> read(const Reader& from, Connection& c) {
  c.id = from.text("connection_id");
  if (c.id.empty()) return unknown_answer();
  NEXUS_CHECK(read_status(from, c.status));
  c.alias = from.text("alias");
  c.provider = from.text("provider_name");
  c.provider_id = from.text("provider_id");
  c.auth_type = from.word<AuthType>("auth_type").value_or(AuthType::oauth2);
  c.workspace = from.text("workspace_id");
  c.account = from.text("account");
  c.scopes = from.texts("scopes");
  c.created_at = parse_rfc3339(from.text("created_at")).value_or(0);
  c.updated_at = parse_rfc3339(from.text("updated_at")).value_or(0);
  c.expires_at = from.number("expires_at");
  c.never_expires = from.flag("never_expires");
  c.last_refresh_at = from.number("last_refresh_at");
  c.next_refresh_at = from.number("next_refresh_at");
  c.refresh_failing_since = from.number("refresh_failing_since");
  from.object("last_error", [&c](const Reader& error) {
    c.error_code = error.text("code");
    c.error_message = error.text("message");
  });
  Result<void> access;
  from.object("access", [&](const Reader& rules) { access = read(rules, c.access.emplace()); });
  return access;
}

void write_last_error(JsonWriter& to, const Connection& c) {
  if (c.error_code.empty()) {
    to.member_json("last_error", "null");
    return;
  }
  to.begin("last_error").member("code", c.error_code).member("message", c.error_message).end();
}

void write_access(JsonWriter& to, const Connection& c) {
  if (!c.access) {
    to.member_json("access", "null");
    return;
  }
  to.begin("access");
  write(to, *c.access);
  to.end();
}

void write(JsonWriter& to, const Connection& c) {
  to.member("id", c.id)
      .member("connection_id", c.id)
      .member_or_null("alias", c.alias)
      .member("provider_id", c.provider_id)
      .member("provider_name", c.provider)
      .member("workspace_id", c.workspace)
      .member_or_null("account", c.account)
      .member("auth_type", word(c.auth_type))
      .member("status", word(c.status))
      .member("health_status", c.status == ConnectionStatus::active ? "healthy" : "unhealthy")
      .member("scopes", c.scopes)
      .member("created_at", rfc3339(c.created_at))
      .member("updated_at", rfc3339(c.updated_at))
      .member_or_null("expires_at", c.expires_at)
      .flag("never_expires", c.never_expires)
      .member_or_null("last_refresh_at", c.last_refresh_at)
      .member_or_null("next_refresh_at", c.next_refresh_at)
      .member_or_null("refresh_failing_since", c.refresh_failing_since);
  if (!c.metadata.empty()) to.member_json("metadata", c.metadata);
  write_last_error(to, c);
  write_access(to, c);
}

Result<void> read(const Reader& from, ConnectionCheck& into) {
  into.id = from.text("connection_id");
  into.reason = from.text("reason");
  return read_status(from, into.status);
}

void write(JsonWriter& to, const ConnectionCheck& check) {
  to.member("status", word(check.status)).member("connection_id", check.id);
  if (!check.reason.empty()) to.member("reason", check.reason);
}

Result<void> read(const Reader& from, StartedConnection& into) {
  into.connection_id = from.text("connection_id");
  into.auth_url = from.text("auth_url");
  into.state = from.text("state");
  into.scopes = from.texts("scopes");
  into.provider_id = from.text("provider_id");
  into.expires_at = from.number("expires_at").value_or(0);
  into.redirect_uri = from.text("redirect_uri");
  into.device_supported = from.flag("device_supported");
  DevicePrompt device{from.text("user_code"), from.text("verification_uri"),
                      from.text("verification_uri_complete")};
  if (!device.user_code.empty()) into.device = std::move(device);
  return read_status(from, into.status);
}

void write(JsonWriter& to, const std::optional<DevicePrompt>& device) {
  if (!device) return;
  to.member("user_code", device->user_code).member("verification_uri", device->verification_uri);
  if (!device->verification_uri_complete.empty())
    to.member("verification_uri_complete", device->verification_uri_complete);
}

void write(JsonWriter& to, const StartedConnection& started) {
  to.member("auth_url", started.auth_url)
      .member("authUrl", started.auth_url)
      .member("connection_id", started.connection_id)
      .member("state", started.state)
      .member("scopes", started.scopes)
      .member("provider_id", started.provider_id)
      .member("status", word(started.status))
      .member("expires_at", started.expires_at);
  if (!started.redirect_uri.empty()) to.member("redirect_uri", started.redirect_uri);
  if (started.device_supported) to.flag("device_supported", true);
  write(to, started.device);
}

void write(JsonWriter& to, const CompletedConnection& completed) {
  to.member("connection_id", completed.connection_id)
      .member("status", word(completed.status))
      .member("message", completed.message);
}

Result<void> read(const Reader& from, Disconnection& into) {
  into.connection_id = from.text("connection_id");
  into.provider = from.text("provider_name");
  into.revoked_at = parse_rfc3339(from.text("revoked_at")).value_or(0);
  into.already_revoked = from.flag("already_revoked");
  into.provider_revoked = from.flag("provider_revoked");
  into.provider_revocation_pending = from.flag("provider_revocation_pending");
  into.provider_revocation_error = from.text("provider_revocation_error");
  return {};
}

void write(JsonWriter& to, const Disconnection& d) {
  to.member("connection_id", d.connection_id)
      .member("provider_name", d.provider)
      .member("status", word(ConnectionStatus::revoked))
      .member("revoked_at", rfc3339(d.revoked_at))
      .flag("already_revoked", d.already_revoked)
      .flag("token_deleted", !d.provider_revocation_pending)
      .member("sessions_closed", 0)
      .flag("provider_revoked", d.provider_revoked)
      .flag("provider_revocation_pending", d.provider_revocation_pending);
  if (!d.provider_revocation_error.empty())
    to.member("provider_revocation_error", d.provider_revocation_error);
}

}  // namespace nexus::api
