#include "cli/output/connections.h"

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
  return to.end().take();
}

std::string expiry(const api::Connection& c) {
  if (c.status != ConnectionStatus::active && c.status != ConnectionStatus::pending) return "-";
  if (!c.expires_at) return c.never_expires ? "never" : "unknown";
  const auto left = *c.expires_at - system_now();
  return left > 0 ? "in " + duration_text(left) : duration_text(-left) + " ago";
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

}  // namespace

Result<api::Connection> fetch_connection(Context& context, const std::string& reference) {
  return context.client.get<api::Connection>(context.client.target("/v1/connections/", reference));
}

void ConnectionPrinter::print(const std::vector<api::Connection>& connections) {
  if (output_.json) {
    std::string text;
    for (const auto& c : connections) {
      text += any_ ? "," : "{\"connections\":[";
      text += for_scripts(c);
      any_ = true;
    }
    return output_.result(text);
  }
  if (connections.empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const auto& c : connections)
    rows.push_back(
        {c.id, or_dash(c.alias), c.provider, printable(or_dash(c.account), 60),
         output_.status_word(c.status), expiry(c),
         c.error_message.empty() ? or_dash(join(c.scopes, " ")) : printable(c.error_message, 120)});
  output_.table(
      {"CONNECTION", "ALIAS", "PROVIDER", "ACCOUNT", "STATUS", "EXPIRES", "SCOPES OR ERROR"}, rows,
      widths_);
  any_ = true;
}

void ConnectionPrinter::finish() {
  if (output_.json) return output_.result(any_ ? "]}\n" : "{\"connections\":[]}\n");
  if (!any_) output_.note("no connections yet; make one with: nexus connect PROVIDER");
}

void print_connections(const Output& output, const std::vector<api::Connection>& connections) {
  ConnectionPrinter printer(output);
  printer.print(connections);
  printer.finish();
}

int exit_code_for(ConnectionStatus status) {
  switch (status) {
    case ConnectionStatus::active:
      return 0;
    case ConnectionStatus::pending:
      return info(ErrorCode::connection_pending).exit_code;
    case ConnectionStatus::attention_required:
      return info(ErrorCode::attention_required).exit_code;
    case ConnectionStatus::failed:
    case ConnectionStatus::revoked:
      break;
  }
  return info(ErrorCode::connection_failed).exit_code;
}

}  // namespace nexus::cli
