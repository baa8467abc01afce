#include "daemon/connection_errors.h"

#include "common/text.h"

namespace nexus {
namespace {

/// Hints are made where nobody knows whose they are.
void put_for(std::string& hint, std::string_view placeholder, const std::string& name) {
  if (const auto at = hint.find(placeholder); at != std::string::npos)
    hint.replace(at, placeholder.size(), name);
}

}  // namespace

std::string in_workspace(const std::string& workspace) {
  return workspace.empty() || workspace == "default" ? "" : " " + workspace_option(workspace);
}

std::string workspace_option(const std::string& workspace) {
  const auto shown = printable(workspace, 256);
  const bool plain = shown.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789._@:-") == std::string::npos;
  return "--workspace " + (plain ? shown : shell_quote(shown));
}

std::string connect_again(const ConnectionRow& row) {
  return "nexus connect " + row.provider_name + in_workspace(row.workspace);
}

std::string connect_in_place_of(const ConnectionRow& row) {
  return connect_again(row) + " --replace " + row.id;
}

Error no_such_connection(const std::string& reference, const std::string& workspace) {
  return {ErrorCode::connection_not_found, "there is no connection " + printable(reference, 80),
          "see: nexus list" + in_workspace(workspace)};
}

Error connection_exists(const std::string& id) {
  return {ErrorCode::connection_exists, "there is a connection " + id + " here already",
          "keep it, or have the bundle's in its place: nexus import --replace"};
}

Error needs_attention(const ConnectionRow& row, const std::string& cause) {
  return {ErrorCode::attention_required, "connection " + row.id + " needs attention: " + cause,
          "run: " + connect_in_place_of(row), row.id, row.provider_name};
}

std::optional<Error> not_active(const ConnectionRow& row) {
  const auto error = [&](ErrorCode code, const std::string& what, const std::string& hint) {
    return Error{code, "connection " + row.id + " " + what, hint, row.id, row.provider_name};
  };
  if (row.status == ConnectionStatus::active) return std::nullopt;
  if (row.status == ConnectionStatus::attention_required)
    return needs_attention(row, row.error_message);
  if (row.status == ConnectionStatus::moving)
    return error(ErrorCode::connection_moving, "is being moved: a bundle was made of it",
                 "where that is in use: nexus disconnect " + row.id +
                     " --keep-grant; where nobody uses it: nexus export --take-back " + row.id);
  if (row.status == ConnectionStatus::pending)
    return error(ErrorCode::connection_pending, "still waits for a person's consent",
                 "finish it in the browser, then ask again");
  if (row.status == ConnectionStatus::revoked)
    return error(ErrorCode::connection_revoked, "was disconnected", "run: " + connect_again(row));
  return error(ErrorCode::connection_failed, "failed: " + row.error_message,
               "run: " + connect_again(row));
}

Error about(const ConnectionRow& row, Error error) {
  put_for(error.hint, "nexus connect PROVIDER --replace", connect_again(row) + " --replace");
  put_for(error.hint, "nexus connect PROVIDER",
          row.status == ConnectionStatus::active ? connect_in_place_of(row) : connect_again(row));
  put_for(error.hint, "CONNECTION", row.id);
  error.connection_id = row.id;
  return about_provider(row.provider_name, std::move(error));
}

Error about_provider(const std::string& name, Error error) {
  put_for(error.hint, "PROVIDER", name);
  error.provider = name;
  return error;
}

Error in_words_of(const std::string& reference, Error error) {
  if (!reference.empty() && !error.connection_id.empty())
    put_for(error.hint, "--replace " + error.connection_id, "--replace " + reference);
  return error;
}

}  // namespace nexus
