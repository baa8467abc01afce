// nexus lock and nexus unlock: the vault's key leaves nexusd's memory, and comes back.
#include <memory>

#include "cli/askpass.h"
#include "cli/command.h"
#include "cli/commands/daemon.h"
#include "cli/commands/vault.h"
#include "cli/output/prompt.h"
#include "common/api/vault_status.h"

namespace nexus::cli {
namespace {

constexpr int kUnlockTries = 3;

Result<int> tell_locked(Context& context, bool locked, const std::string& note) {
  if (context.output.json)
    context.output.json_line(JsonWriter().begin().flag("locked", locked).end().take());
  else
    context.output.note(note);
  return 0;
}

Result<int> run_lock(Context& context) {
  NEXUS_CHECK(check_local(context));
  Client client(context.config, false);
  const auto status = client.get<api::VaultStatus>("/v1/vault");
  if (!status && is_absent(status.error()))
    return tell_locked(context, true, "nexusd is not running: it has no key in memory");
  if (!status) return status.error();
  if (status->locked) return tell_locked(context, true, "the vault is locked already");
  NEXUS_CHECK(client.call_raw("POST", "/v1/vault/lock", ""));
  // The one that answers next has been executed anew, without the key: until then callers wait.
  NEXUS_TRY(const auto after, client.get<api::VaultStatus>("/v1/vault"));
  if (!after.locked)
    return Error{ErrorCode::failure, "the vault is open: nexusd was restarted meanwhile",
                 "run: nexus lock"};
  return tell_locked(context, true, "the vault is locked; to open it: nexus unlock");
}

struct UnlockArgs {
  std::string file;
  std::string askpass;
};

Result<Secret> ask_for(const api::VaultStatus& vault, const UnlockArgs& args) {
  const std::string what =
      vault.key_source == KeySource::passphrase ? "Passphrase" : "Key (base64)";
  if (!args.askpass.empty()) return ask_by_program(args.askpass, what + " for the vault: ");
  if (!args.file.empty()) return read_secret(args.file, what);
  if (!is_interactive()) return read_secret("-", what);
  // One for a vault that is to be made is typed twice: nobody could correct it.
  return vault.is_new ? new_passphrase("", "Passphrase for the new vault")
                      : ask_secret(what + " for the vault");
}

Result<void> try_once(Client& client, const api::VaultStatus& vault, const UnlockArgs& args) {
  SecretJsonWriter json;
  json.begin();
  if (vault.key_source == KeySource::passphrase || vault.key_source == KeySource::environment) {
    NEXUS_TRY(const auto secret, ask_for(vault, args));
    if (secret.empty())
      return Error{ErrorCode::usage, "nothing was given to open the vault with",
                   "type it, or give --passphrase-file FILE (- for stdin) or --askpass PROGRAM"};
    json.member(vault.key_source == KeySource::passphrase ? "passphrase" : "key", secret.expose());
  }
  NEXUS_CHECK(client.call_raw("POST", "/v1/vault/unlock", json.end().take()));
  return {};
}

Result<int> run_unlock(Context& context, const UnlockArgs& args) {
  NEXUS_CHECK(check_local(context));
  NEXUS_TRY(const auto vault, context.client.get<api::VaultStatus>("/v1/vault"));
  if (!vault.locked) return tell_locked(context, false, "the vault is open already");
  const bool asks_again = args.file.empty() && is_interactive();
  for (int left = kUnlockTries; left > 0; --left) {
    const auto unlocked = try_once(context.client, vault, args);
    if (unlocked) break;
    if (!asks_again || left == 1 || unlocked.error().code != ErrorCode::vault_key_wrong)
      return unlocked.error();
    context.output.warn(unlocked.error().message);
  }
  return tell_locked(context, false, "the vault is open");
}

}  // namespace

Command lock_command() {
  return {.name = "lock",
          .summary = "Have nexusd forget the vault's key, until nexus unlock",
          .action = run_lock,
          .examples = {"nexus lock"}};
}

Command unlock_command() {
  auto args = std::make_shared<UnlockArgs>();
  return {.name = "unlock",
          .summary = "Give nexusd the vault's key again",
          .arguments = {{"--passphrase-file",
                         &args->file,
                         "the passphrase, or the key, in this file (- for stdin)",
                         {.value = "FILE", .names = Names::file}},
                        {"--askpass",
                         &args->askpass,
                         "a program that asks for it, like ssh-askpass",
                         {.value = "PROGRAM", .names = Names::file}}},
          .action = [args](Context& context) { return run_unlock(context, *args); },
          .examples = {"nexus unlock", "nexus unlock --askpass ssh-askpass",
                       "pass show nexus | nexus unlock --passphrase-file -"}};
}

}  // namespace nexus::cli
