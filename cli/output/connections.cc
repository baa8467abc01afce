#include "cli/output/connections.h"

#include "cli/way_out.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

std::string for_scripts(const api::Connection& c) {
  JsonWriter to;
  to.begin()
      .member("connection_id", c.id)
      .member_or_null("alias", c.alias)
      .member("provider", c.provider)
      .member("workspace", c.workspace)
      .member_or_null("account", c.account)
      .member("status", word(c.status))
      .member("scopes", c.scopes)
      .member_or_null("expires_at", c.expires_at)
      .member_or_null("last_refresh_at", c.last_refresh_at)
      .member_or_null("next_refresh_at", c.next_refresh_at);
  api::write_last_error(to, c);
  api::write_access(to, c);
  return to.end().take();
}

}  // namespace

Result<api::Connection> fetch_connection(Context& context, const std::string& reference) {
  return with_way_out(
      context, reference,
      context.client.get<api::Connection>(context.client.target("/v1/connections/", reference)));
}

void ConnectionsJson::print(const std::vector<api::Connection>& connections) {
  for (const auto& c : connections) {
    output_.json_part(any_ ? "," : "{\"connections\":[");
    output_.json_part(for_scripts(c));
    any_ = true;
  }
}

void ConnectionsJson::finish() {
  output_.json_line(any_ ? "]}" : "{\"connections\":[]}");
}

void print_json(const Output& output, const std::vector<api::Connection>& connections) {
  ConnectionsJson json(output);
  json.print(connections);
  json.finish();
}

bool refresh_fails(const api::Connection& c) {
  return c.status == ConnectionStatus::active && !c.error_code.empty();
}

const std::string& name_of(const api::Connection& c) {
  return c.alias.empty() ? c.id : c.alias;
}

std::string told_apart(const api::Connection& c) {
  return c.provider + " (" + (c.account.empty() ? c.id : c.account) + ")";
}

std::string expiry(const api::Connection& c) {
  if (c.status != ConnectionStatus::active && c.status != ConnectionStatus::pending) return "-";
  if (!c.expires_at) return c.never_expires ? "never" : "not told";
  const auto left = *c.expires_at - system_now();
  return left > 0 ? "in " + duration_text(left) : ago_text(*c.expires_at);
}

std::string expiry_sentence(const api::Connection& c) {
  if (c.expires_at) return "the token expires " + expiry(c);
  return c.never_expires ? "it does not expire" : "its provider tells no expiry";
}

Color color_of(const api::Connection& c) {
  if (c.status == ConnectionStatus::pending || refresh_fails(c)) return Color::yellow;
  return c.status == ConnectionStatus::active ? Color::green : Color::red;
}

int exit_code_for(ConnectionStatus status) {
  switch (status) {
    case ConnectionStatus::active:
      return 0;
    case ConnectionStatus::pending:
      return info(ErrorCode::connection_pending).exit_code;
    case ConnectionStatus::attention_required:
    case ConnectionStatus::moving:
      return info(ErrorCode::attention_required).exit_code;
    case ConnectionStatus::failed:
    case ConnectionStatus::revoked:
      break;
  }
  return info(ErrorCode::connection_failed).exit_code;
}

}  // namespace nexus::cli
