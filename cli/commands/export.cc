#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "cli/command.h"
#include "cli/delivery.h"
#include "cli/interrupt.h"
#include "cli/output/connections.h"
#include "cli/output/prompt.h"
#include "common/api/bundle.h"
#include "common/new_file.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// What GitHub takes for a secret; others take less.
constexpr std::size_t kLongestSecret = 48 * 1024;

struct ExportArgs {
  std::vector<std::string> connections;
  std::string to;
  std::string passphrase_file;
  std::string output;
  bool move = false;
  bool take_back = false;
};

Result<SecretText> order_of(const ExportArgs& args) {
  if (args.to.empty() == args.passphrase_file.empty())
    return Error{ErrorCode::usage, "a bundle is sealed for a public key, or with a passphrase",
                 "give one of --to PUBLIC-KEY (nexus key pair makes one) and --passphrase-file"};
  SecretJsonWriter json;
  json.begin().member("connections", args.connections).flag("move", args.move);
  if (args.to.empty()) {
    NEXUS_TRY(const auto passphrase, read_secret(args.passphrase_file, "Passphrase"));
    json.member("passphrase", passphrase.expose());
  } else {
    json.member("public_key", args.to);
  }
  return json.end().take();
}

Result<void> put_into(const std::string& file, const std::string& bundle) {
  if (make_new_file(file, bundle + "\n")) return {};
  if (errno == EEXIST) return exists_already(file);
  return Error{ErrorCode::failure, "cannot make " + file + ": " + std::strerror(errno),
               "name a file in a directory that you can write"};
}

void print_as_json(const Output& output, const std::string& file,
                   const api::ExportedBundle& exported) {
  JsonWriter json;
  json.begin();
  if (file.empty()) {
    json.member("bundle", exported.bundle);
  } else {
    json.member("file", file);
  }
  json.flag("moving", exported.moving)
      .member_json("connections", api::to_json(exported.connections))
      .end();
  output.json_line(json.take());
}

/// Into the file or to stdout, all of it. A file that nobody is told of does not stay.
Result<void> deliver(Context& context, const ExportArgs& args,
                     const api::ExportedBundle& exported) {
  const auto& file = args.output;
  if (!file.empty()) NEXUS_CHECK(put_into(file, exported.bundle));
  if (context.output.json) {
    print_as_json(context.output, file, exported);
  } else if (file.empty()) {
    context.output.line(exported.bundle);
  }
  auto written = context.output.written();
  if (!written && !file.empty()) unlink(file.c_str());
  return written;
}

/// Whether it is on stable storage. What went into a pipe may be lost on its way.
bool is_safe(const ExportArgs& args) {
  if (!args.output.empty()) return true;
  struct stat about {};
  return fstat(STDOUT_FILENO, &about) == 0 && S_ISREG(about.st_mode) && fsync(STDOUT_FILENO) == 0;
}

std::string ids_of(const std::vector<api::Connection>& connections) {
  std::string ids;
  for (const auto& each : connections) ids += " " + each.id;
  return ids;
}

Error not_moved(Context& context, const api::ExportedBundle& exported, Error error) {
  bool all_back = true;
  for (const auto& each : exported.connections)
    all_back &=
        context.client.call_raw("POST", "/v1/connections/" + each.id + "/take-back", "").ok();
  error.hint = all_back ? "nothing was moved; " + error.hint
                        : "run: nexus export --take-back" + ids_of(exported.connections);
  return error;
}

/// Nobody knows how far a nexusd has come that did not answer.
Error with_way_back(Error error) {
  if (error.code == ErrorCode::daemon_unreachable || error.code == ErrorCode::failure)
    error.hint += "; what was set aside (see: nexus status) comes back by nexus export --take-back";
  return error;
}

/// The bundle is their only holder from now on.
Result<void> let_go(Context& context, const api::ExportedBundle& exported) {
  for (const auto& each : exported.connections) {
    const auto gone = context.client.call_raw(
        "DELETE", "/v1/connections/" + each.id + "?keep_grant=true&reason=moved", "");
    if (gone) continue;
    auto error = gone.error();
    error.hint = "the bundle is safe; run: nexus disconnect " + each.id + " --keep-grant";
    return error;
  }
  context.output.note("moved" + ids_of(exported.connections) + ": the bundle alone has them now");
  return {};
}

Result<int> run_export(Context& context, const ExportArgs& args) {
  NEXUS_TRY(const auto order, order_of(args));
  if (!args.output.empty() && access(args.output.c_str(), F_OK) == 0)
    return exists_already(args.output);
  const CatchInterrupt held;  // what was set aside is let go or taken back
  const auto target = "/v1/export?workspace_id=" + percent_encode(context.config.workspace);
  const auto answer = context.client.post<api::ExportedBundle>(target, order);
  if (!answer) return args.move ? with_way_back(answer.error()) : answer.error();
  const auto& exported = *answer;
  if (const auto delivered = deliver(context, args, exported); !delivered)
    return exported.moving ? not_moved(context, exported, delivered.error()) : delivered.error();
  if (exported.bundle.size() > kLongestSecret)
    context.output.note("the bundle has " + std::to_string(exported.bundle.size() / 1024) +
                        " KiB; a place for secrets may take 48 at the most");
  if (!exported.moving) return 0;
  if (is_safe(args)) {
    NEXUS_CHECK(let_go(context, exported));
    return 0;
  }
  context.output.note("they wait here, unused. Once the bundle is safe, run for each of them:");
  for (const auto& each : exported.connections)
    context.output.note("  nexus disconnect " + each.id + " --keep-grant");
  context.output.note("or, if it is lost: nexus export --take-back" + ids_of(exported.connections));
  return 0;
}

Result<int> run_take_back(Context& context, const ExportArgs& args) {
  std::vector<api::Connection> back;
  for (const auto& reference : args.connections) {
    const auto target = "/v1/connections/" + percent_encode(reference) +
                        "/take-back?workspace_id=" + percent_encode(context.config.workspace);
    NEXUS_TRY(auto connection, context.client.post<api::Connection>(target, ""));
    if (!context.output.json)
      context.output.line("taken back " + connection.id + ": it is served here again");
    back.push_back(std::move(connection));
  }
  if (context.output.json) print_json(context.output, back);
  return 0;
}

}  // namespace

Command export_command() {
  auto args = std::make_shared<ExportArgs>();
  return {
      .name = "export",
      .summary = "Seal connections in a bundle, for a CI job or another machine",
      .arguments =
          {{"connections",
            &args->connections,
            "conn_… ids, aliases or providers",
            {.required = true, .names = Names::connection}},
           {"--to",
            &args->to,
            "seal it for this public key (nexus key pair)",
            {.value = "PUBLIC-KEY"}},
           {"--passphrase-file",
            &args->passphrase_file,
            "seal it with the passphrase in this file (- for stdin)",
            {.value = "FILE", .names = Names::file}},
           {"-o,--output",
            &args->output,
            "put the bundle into this new file, else (or -) it goes to stdout",
            {.value = "FILE", .names = Names::file}},
           {"--move", &args->move, "have the connections in the bundle alone, and no longer here"},
           {"--take-back", &args->take_back,
            "serve connections again whose move was broken off; nobody may use their bundle"}},
      .action =
          [args](Context& context) {
            if (args->output == "-") args->output.clear();
            return args->take_back ? run_take_back(context, *args) : run_export(context, *args);
          },
      .examples = {"nexus export deploy --to nexus-pub-... -o ci.bundle",
                   "nexus export work home --move --passphrase-file - -o house.bundle",
                   "nexus export --take-back work"}};
}

}  // namespace nexus::cli
