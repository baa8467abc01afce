#include "cli/output/connections.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

Json or_null(const std::optional<UnixTime>& time) {
  return time ? Json(*time) : Json(nullptr);
}
Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json for_scripts(const api::Connection& c) {
  return {{"connection_id", c.id},
          {"alias", or_null(c.alias)},
          {"provider", c.provider},
          {"workspace", c.workspace},
          {"account", or_null(c.account)},
          {"status", c.status},
          {"scopes", c.scopes},
          {"expires_at", or_null(c.expires_at)},
          {"last_refresh_at", or_null(c.last_refresh_at)},
          {"next_refresh_at", or_null(c.next_refresh_at)},
          {"last_error", api::last_error(c)}};
}

std::string expiry(const api::Connection& c) {
  if (c.status != "active" && c.status != "pending") return "-";
  if (!c.expires_at) return "never";
  const auto left = *c.expires_at - system_now();
  return left > 0 ? "in " + duration_text(left) : duration_text(-left) + " ago";
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

}  // namespace

Result<api::Connection> fetch_connection(Context& context, const std::string& reference) {
  NEXUS_TRY(const auto json,
            context.client.get(context.client.target("/v1/connections/", reference)));
  return api::connection_from_json(json);
}

void ConnectionPrinter::print(const std::vector<api::Connection>& connections) {
  if (output_.json) {
    std::string text;
    for (const auto& c : connections) {
      text += any_ ? "," : "{\"connections\":[";
      text += nexus::to_text(for_scripts(c));
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

int exit_code_for(const std::string& status) {
  if (status == "active") return 0;
  if (status == "pending") return info(ErrorCode::connection_pending).exit_code;
  if (status == "attention_required") return info(ErrorCode::attention_required).exit_code;
  return info(ErrorCode::connection_failed).exit_code;
}

}  // namespace nexus::cli
