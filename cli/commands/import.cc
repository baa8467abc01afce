#include <cstdlib>
#include <memory>

#include "cli/command.h"
#include "cli/commands/list.h"
#include "cli/data_file.h"
#include "cli/interrupt.h"
#include "cli/output/connections.h"
#include "cli/output/prompt.h"
#include "cli/secret_reader.h"
#include "common/api/bundle.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct ImportArgs {
  std::string file;
  std::string key_file;
  std::string passphrase_file;
  bool replace = false;
};

/// From the file that was named, or the environment.
Result<Secret> secret_from(const std::string& file, const char* variable, const char* prompt) {
  if (!file.empty()) return read_secret(file, prompt);
  const char* value = std::getenv(variable);
  if (!value) return Secret();
  return take_secret(value, variable);
}

Result<SecretText> body_of(const ImportArgs& args) {
  const bool both_from_stdin =
      args.file == "-" && (args.key_file == "-" || args.passphrase_file == "-");
  if (both_from_stdin)
    return Error{ErrorCode::usage, "bundle and key cannot both come on stdin",
                 "put one of them into a file"};
  NEXUS_TRY(const auto bundle, read_text_file(args.file));
  NEXUS_TRY(const auto key, secret_from(args.key_file, "NEXUS_BUNDLE_KEY", "Private key"));
  NEXUS_TRY(auto passphrase,
            secret_from(args.passphrase_file, "NEXUS_BUNDLE_PASSPHRASE", "Passphrase"));
  if (key.empty() && passphrase.empty())
    return Error{ErrorCode::usage, "a bundle is opened with a private key or a passphrase",
                 "give --key-file FILE or --passphrase-file FILE (- for stdin), or set "
                 "NEXUS_BUNDLE_KEY or NEXUS_BUNDLE_PASSPHRASE"};
  SecretJsonWriter json;
  json.begin().member("bundle", bundle).flag("replace", args.replace);
  if (!key.empty()) json.member("private_key", key.expose());
  if (!passphrase.empty()) json.member("passphrase", passphrase.expose());
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
  return {.name = "import",
          .summary = "Take in the connections of a bundle (nexus export)",
          .arguments = {{"file",
                         &args->file,
                         "the bundle, - for stdin",
                         {.required = true, .names = Names::file}},
                        {"--key-file",
                         &args->key_file,
                         "the private key that it was sealed for (else NEXUS_BUNDLE_KEY)",
                         {.value = "FILE", .names = Names::file}},
                        {"--passphrase-file",
                         &args->passphrase_file,
                         "its passphrase (else NEXUS_BUNDLE_PASSPHRASE)",
                         {.value = "FILE", .names = Names::file}},
                        {"--replace", &args->replace,
                         "also in place of connections that are here under their ids"}},
          .action = [args](Context& context) { return run_import(context, *args); },
          .examples = {"nexus import ci.bundle --key-file ci.key",
                       "nexus import house.bundle --passphrase-file -"}};
}

}  // namespace nexus::cli
