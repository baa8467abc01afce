#include "common/api/bundle.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/api/handlers.h"
#include "daemon/crypto/sealed_bundle.h"
#include "daemon/log.h"

namespace nexus::api {
namespace {

Result<BundleOrder> read_order(JsonFields& body) {
  BundleOrder order;
  NEXUS_CHECK(body.text("public_key", order.public_key));
  NEXUS_CHECK(body.flag("move", order.move));
  order.passphrase = body.take("passphrase");
  if (order.public_key.empty() == order.passphrase.empty())
    return Error{ErrorCode::missing_fields,
                 "a bundle is sealed for a public key, or with a passphrase",
                 "give one of public_key and passphrase"};
  return order;
}

/// Those that are named, each once.
Result<std::vector<ConnectionRow>> find_all(Services& services, const http::Request& request,
                                            const std::vector<std::string>& references) {
  std::vector<ConnectionRow> rows;
  for (const auto& reference : references) {
    NEXUS_TRY(auto row, services.connections.find(reference, workspace_of(request), request.caller,
                                                  Right::use));
    const bool known = std::any_of(rows.begin(), rows.end(),
                                   [&](const ConnectionRow& other) { return other.id == row.id; });
    if (!known) rows.push_back(std::move(row));
  }
  if (rows.empty())
    return Error{ErrorCode::missing_fields, "connections are missing",
                 "name those that the bundle is to have"};
  return rows;
}

Result<std::vector<Connection>> as_they_are_now(Services& services, const http::Request& request,
                                                const std::vector<ConnectionRow>& rows) {
  std::vector<Connection> connections;
  for (const auto& row : rows) {
    NEXUS_TRY(const auto now,
              services.connections.find(row.id, row.workspace, request.caller, Right::read));
    connections.push_back(services.connections.describe(now));
  }
  return connections;
}

}  // namespace

Result<Reply> export_bundle(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(auto body, read_body(request));
  std::vector<std::string> references;
  NEXUS_CHECK(body.texts("connections", references));
  NEXUS_TRY(auto order, read_order(body));
  NEXUS_TRY(order.connections, find_all(services, request, references));
  ExportedBundle exported;
  NEXUS_TRY(exported.bundle, services.bundle_exporter.make(order, request.caller));
  exported.moving = order.move;
  NEXUS_TRY(exported.connections, as_they_are_now(services, request, order.connections));
  return Reply{to_json(exported)};
}

Result<Reply> import_bundle(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(auto body, read_body(request));
  const auto bundle = body.take("bundle");
  const EnvelopeOpener opener{body.take("private_key"), body.take("passphrase")};
  bool replace = false;
  NEXUS_CHECK(body.flag("replace", replace));
  if (bundle.empty())
    return Error{ErrorCode::missing_fields, "bundle is missing",
                 "send the text that nexus export made"};
  NEXUS_TRY(const auto taken,
            services.bundle_importer.take_in(bundle.expose(), opener, replace, request.caller));
  ImportedBundle imported{taken.providers, {}, taken.moved, {}};
  const bool in_memory = services.facts.data_dir.empty();
  if (auto warning = in_memory ? loss_to_come(taken) : ""; !warning.empty()) {
    log(LogLevel::warn, "refresh_token_will_be_lost", {{"warning", warning}});
    imported.warnings.push_back(std::move(warning));
  }
  for (const auto& row : taken.connections)
    imported.connections.push_back(services.connections.describe(row));
  return Reply{to_json(imported)};
}

Result<Reply> take_back_connection(Services& services, const http::Request& request,
                                   const Arguments& args) {
  NEXUS_TRY(const auto row,
            services.connections.find(args[0], workspace_of(request), request.caller, Right::use));
  NEXUS_CHECK(services.moves.take_back(row, request.caller));
  NEXUS_TRY(const auto back,
            services.connections.find(row.id, row.workspace, request.caller, Right::read));
  return Reply{to_json(services.connections.describe(back))};
}

}  // namespace nexus::api
