// nexus vault backup and nexus vault restore.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <memory>

#include "cli/command.h"
#include "cli/commands/daemon.h"
#include "cli/commands/vault.h"
#include "cli/delivery.h"
#include "cli/interrupt.h"
#include "cli/opener.h"
#include "cli/output/prompt.h"
#include "cli/program_output.h"
#include "cli/program_path.h"
#include "common/api/backup.h"
#include "common/descriptor.h"
#include "common/printed_error.h"
#include "common/rfc3339.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Unpacking and verifying a hundred thousand connections takes seconds.
constexpr auto kRestorePatience = std::chrono::minutes(30);
constexpr std::size_t kNamed = 10;

struct BackupArgs {
  std::string file;
  std::string to;
  std::string passphrase_file;
  std::string current_file;
};

Result<SecretText> backup_order(const BackupArgs& args, const api::VaultStatus& vault) {
  SecretJsonWriter json;
  json.begin();
  if (!args.to.empty()) {
    json.member("public_key", args.to);
  } else {
    NEXUS_TRY(const auto passphrase,
              new_passphrase(args.passphrase_file, "Passphrase for the backup"));
    json.member("passphrase", passphrase.expose());
  }
  NEXUS_CHECK(write_current_passphrase(json, vault, args.current_file));
  return json.end().take();
}

Result<void> check_backup_args(const BackupArgs& args) {
  const bool is_both = !args.to.empty() && !args.passphrase_file.empty();
  const bool is_neither = args.to.empty() && args.passphrase_file.empty();
  if (is_both || (is_neither && !is_interactive()))
    return Error{ErrorCode::usage, "a backup is sealed for a public key, or with a passphrase",
                 "give one of --to PUBLIC-KEY (nexus key pair makes one) and --passphrase-file"};
  if (args.passphrase_file == "-" && args.current_file == "-")
    return Error{ErrorCode::usage, "two passphrases cannot both come on stdin",
                 "put one of them into a file"};
  if (args.file != "-" && access(args.file.c_str(), F_OK) == 0) return exists_already(args.file);
  if (args.file == "-" && isatty(STDOUT_FILENO) == 1)
    return Error{ErrorCode::usage, "a backup is nothing for a terminal",
                 "name a file, or lead the output into a pipe"};
  return {};
}

/// Whatever answers on the socket has us move no other file.
Result<void> check_made(const api::VaultBackup& made, const api::VaultStatus& vault) {
  struct stat about {};
  const std::filesystem::path file(made.file);
  if (file.parent_path() == vault.data_dir &&
      file.filename().string().starts_with("vault.backup-") &&
      lstat(made.file.c_str(), &about) == 0 && S_ISREG(about.st_mode))
    return {};
  return Error{ErrorCode::failure, "nexusd's backup is not to be found: " + printable(made.file),
               "run this as the user of that nexusd, on its machine"};
}

Result<int> run_backup(Context& context, const BackupArgs& args) {
  NEXUS_CHECK(check_local(context));
  if (args.file.empty())
    return Error{ErrorCode::usage, "no file is named for the backup", "name one, or - for stdout"};
  NEXUS_CHECK(check_backup_args(args));
  NEXUS_TRY(const auto vault, context.client.get<api::VaultStatus>("/v1/vault"));
  NEXUS_TRY(const auto order, backup_order(args, vault));
  const CatchInterrupt held;  // what was made is taken from where it lies
  context.output.progress("the vault is copied and sealed");
  auto answer = context.client.post<api::VaultBackup>("/v1/vault/backup", order);
  context.output.progress("");
  if (!answer) return answer.error();
  auto& made = *answer;
  NEXUS_CHECK(check_made(made, vault));
  const bool to_stdout = args.file == "-";
  NEXUS_CHECK(to_stdout ? move_to_stdout(made.file) : move_made(made.file, args.file));
  made.file = to_stdout ? "" : args.file;
  if (context.output.json && !to_stdout) {
    context.output.json_line(api::to_json(made));
    return 0;
  }
  context.output.note(std::to_string(made.connections) +
                      " connections, the providers and the "
                      "audit log are in it (" +
                      std::to_string((made.bytes + 1023) / 1024) +
                      " KiB); to bring them back: nexus vault restore " +
                      (to_stdout ? "FILE" : shell_quote(args.file)));
  return 0;
}

struct RestoreArgs {
  std::string file;
  OpenerArgs opener;
  std::string vault_file;
  bool replace = false;
  bool new_key = false;
};

/// Whether a passphrase opens it, by what stands in the clear at its beginning.
bool is_under_passphrase(const std::string& file) {
  std::array<char, 6> begin{};
  const Descriptor backup(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return ::read(backup.get(), begin.data(), begin.size()) == 6 && begin[5] == 2;
}

Result<Opener> opener_for(const RestoreArgs& args) {
  NEXUS_TRY(auto opener, read_opener(args.opener));
  if (!opener.is_missing()) return opener;
  if (!is_interactive() || !is_under_passphrase(args.file)) return nothing_opens("a backup");
  NEXUS_TRY(opener.passphrase, ask_secret("Passphrase of the backup"));
  return opener;
}

Result<SecretText> restore_order(const RestoreArgs& args, bool has_passphrase) {
  NEXUS_TRY(const auto opener, opener_for(args));
  SecretJsonWriter json;
  json.begin().flag("replace", args.replace).flag("new_key", args.new_key);
  write_opener(json, opener);
  const bool asks = args.vault_file.empty() && has_passphrase && !args.new_key && is_interactive();
  if (asks || !args.vault_file.empty()) {
    NEXUS_TRY(const auto passphrase,
              read_secret(asks ? "-" : args.vault_file, "The vault's passphrase"));
    json.member("vault_passphrase", passphrase.expose());
  }
  return json.end().take();
}

/// Runs `nexusd --restore`, which does it while no other nexusd serves the data directory, or says
/// with `--check` what it would come to.
Result<api::RestoredVault> restore(const Config& config, const std::string& file,
                                   std::string_view order, bool only_check) {
  const auto beside = program_path("nexusd");
  std::vector<std::string> words{beside.empty() ? "nexusd" : beside, "--restore", file};
  if (only_check) words.push_back("--check");
  if (access(config.file.c_str(), F_OK) == 0) words.insert(words.end(), {"--config", config.file});
  if (!config.data_dir.empty()) words.insert(words.end(), {"--data-dir", config.data_dir});
  const auto said = program_output(std::move(words), kRestorePatience, ChildKind::nexusd, order);
  if (!said)
    return Error{ErrorCode::failure, "nexusd could not be run, or was ended before it was through",
                 "what was here is here, or what the backup has: run it again"};
  if (said->exit_code == 0) {
    // Behind what it has logged.
    const auto end = said->text.find_last_not_of('\n') + 1;
    const auto begin = said->text.find_last_of('\n', end == 0 ? 0 : end - 1) + 1;
    return api::parse<api::RestoredVault>(said->text.substr(begin, end - begin));
  }
  auto error = printed_error(said->text, said->exit_code)
                   .value_or(Error{ErrorCode::failure, "nexusd ended without a word", ""});
  if (error.code == ErrorCode::daemon_unreachable) error.code = ErrorCode::failure;
  return error;
}

/// Tried beside the nexusd that runs: what cannot be does not end it.
Result<void> check_beside(const Config& config, const std::string& file, std::string_view order,
                          const api::DaemonStatus& running) {
  NEXUS_TRY(const auto checked, restore(config, file, order, true));
  if (checked.data_dir == running.data_dir) return {};
  return Error{
      ErrorCode::usage,
      "nexusd serves " + running.data_dir + ", and the backup would come into " + checked.data_dir,
      "name the one that is meant with NEXUS_DATA_DIR, or in nexus.toml"};
}

std::string some_of(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + std::min(names.size(), kNamed));
  return join(first, ", ") + (names.size() > kNamed ? ", …" : "");
}

void tell(const Output& output, const api::RestoredVault& restored) {
  for (const auto& finding : restored.findings) output.warn("in the backup: " + finding);
  if (restored.other_vault)
    output.warn("the backup is of another vault than the one that was here");
  output.note("restored as of " + rfc3339(restored.made_at) +
              "; the vault's key comes from: " + word(restored.key_source));
  output.note("connections: " + std::to_string(restored.connections));
  output.note("providers: " + some_of(restored.providers));
  output.note("API keys, valid again as they were: " + some_of(restored.api_keys));
  if (!restored.put_aside.empty())
    output.note("the vault that was here is in " + restored.put_aside +
                "; remove it once you need no way back");
  if (!restored.rotating.empty())
    output.note(
        "their providers have replaced the refresh tokens of these before, and may have "
        "since: " +
        some_of(restored.rotating));
  output.note(
      "none is refreshed by itself until you run: nexus vault accept; a token that is asked "
      "for is tried");
}

Result<int> run_restore(Context& context, const RestoreArgs& args) {
  NEXUS_CHECK(check_local(context));
  if (args.file.empty() || args.file == "-")
    return Error{ErrorCode::usage, "a backup is restored from a file, and none is named",
                 "put it into one, and name that"};
  const auto running = daemon_status(context);
  if (!running && !is_absent(running.error())) return running.error();
  const bool has_passphrase = running && running->key_source == word(KeySource::passphrase);
  NEXUS_TRY(const auto order, restore_order(args, has_passphrase));
  const CatchInterrupt held;  // a nexusd that was stopped is started again
  if (running) {
    NEXUS_CHECK(check_beside(context.config, args.file, order, *running));
    NEXUS_CHECK(stop_running(context));
  }
  const auto restored = restore(context.config, args.file, order, false);
  if (running && context.client.starts_daemon())
    if (const auto again = context.client.get<api::VaultStatus>("/v1/vault"); !again)
      context.output.warn(again.error().message);
  if (!restored) return restored.error();
  if (context.output.json)
    context.output.json_line(api::to_json(*restored));
  else
    tell(context.output, *restored);
  return 0;
}

}  // namespace

Command vault_backup_command() {
  auto args = std::make_shared<BackupArgs>();
  return {.name = "backup",
          .summary = "Seal all that is kept in one file, while nexusd goes on",
          .arguments = {{"file",
                         &args->file,
                         "the backup that is made, - for stdout",
                         {.required = true, .names = Names::file}},
                        {"--to",
                         &args->to,
                         "seal it for this public key (nexus key pair)",
                         {.value = "PUBLIC-KEY"}},
                        {"--passphrase-file",
                         &args->passphrase_file,
                         "seal it with the passphrase in this file (- for stdin)",
                         {.value = "FILE", .names = Names::file}},
                        {"--current-passphrase-file",
                         &args->current_file,
                         "the passphrase that opens the vault in this file (- for stdin)",
                         {.value = "FILE", .names = Names::file}}},
          .action = [args](Context& context) { return run_backup(context, *args); },
          .examples = {"nexus vault backup nexus.backup",
                       "nexus vault backup nexus.backup --to nexus-pub-..."}};
}

Command vault_restore_command() {
  auto args = std::make_shared<RestoreArgs>();
  std::vector<Argument> arguments{
      {"file", &args->file, "the backup", {.required = true, .names = Names::file}}};
  std::ranges::move(opener_arguments(args->opener), std::back_inserter(arguments));
  arguments.push_back({"--vault-passphrase-file",
                       &args->vault_file,
                       "the passphrase of the vault that is here or is to be (- for stdin)",
                       {.value = "FILE", .names = Names::file}});
  arguments.push_back(
      {"--replace", &args->replace, "put the vault that is here aside, whatever it has"});
  arguments.push_back({"--new-key", &args->new_key,
                       "have it open as a new vault here would, not as the one that is here"});
  return {.name = "restore",
          .summary = "Bring back what a backup has",
          .arguments = std::move(arguments),
          .action = [args](Context& context) { return run_restore(context, *args); },
          .examples = {"nexus vault restore nexus.backup",
                       "nexus vault restore nexus.backup --key-file backup.key --replace"}};
}

}  // namespace nexus::cli
