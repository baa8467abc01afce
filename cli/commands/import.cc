#include <algorithm>
#include <iterator>
#include <memory>

#include "cli/command.h"
#include "cli/commands/list.h"
#include "cli/data_file.h"
#include "cli/interrupt.h"
#include "cli/opener.h"
#include "cli/output/connections.h"
#include "common/api/bundle.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct ImportArgs {
  std::string file;
  OpenerArgs opener;
  bool replace = false;
};

Result<SecretText> body_of(const ImportArgs& args) {
  const bool both_from_stdin =
      args.file == "-" && (args.opener.key_file == "-" || args.opener.passphrase_file == "-");
  if (both_from_stdin)
    return Error{ErrorCode::usage, "bundle and key cannot both come on stdin",
                 "put one of them into a file"};
  NEXUS_TRY(const auto bundle, read_text_file(args.file));
  NEXUS_TRY(const auto opener, read_opener(args.opener));
  if (opener.is_missing()) return nothing_opens("a bundle");
  SecretJsonWriter json;
  json.begin().member("bundle", bundle).flag("replace", args.replace);
  write_opener(json, opener);
  return json.end().take();
}

Result<int> run_import(Context& context, const ImportArgs& args) {
  NEXUS_TRY(const auto body, body_of(args));
  const CatchInterrupt held;  // what came in is told
  NEXUS_TRY(const auto imported, context.client.post<api::ImportedBundle>("/v1/import", body));
  for (const auto& warning : imported.warnings) context.output.warn(warning);
  if (context.output.json) {
    context.output.json_line(api::to_json(imported));
    return 0;
  }
  print_as_list(context.output, imported.connections, context.config.workspace);
  if (!imported.providers.empty())
    context.output.note("registered " + join(imported.providers, ", "));
  return 0;
}

}  // namespace

Command import_command() {
  auto args = std::make_shared<ImportArgs>();
  std::vector<Argument> arguments{
      {"file", &args->file, "the bundle, - for stdin", {.required = true, .names = Names::file}}};
  std::ranges::move(opener_arguments(args->opener), std::back_inserter(arguments));
  arguments.push_back(
      {"--replace", &args->replace, "also in place of connections that are here under their ids"});
  return {.name = "import",
          .summary = "Take in the connections of a bundle (nexus export)",
          .arguments = std::move(arguments),
          .action = [args](Context& context) { return run_import(context, *args); },
          .examples = {"nexus import ci.bundle --key-file ci.key",
                       "nexus import house.bundle --passphrase-file -"}};
}

}  // namespace nexus::cli
