// nexus vault: how the vault is kept, and with which key.
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/commands/daemon.h"
#include "cli/commands/vault.h"
#include "cli/interrupt.h"
#include "cli/output/prompt.h"
#include "cli/output/table.h"
#include "common/api/vault_status.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// What a way of keeping the key protects from, and from what it does not.
struct Protection {
  const char* from;
  const char* not_from;
};

Protection protection_by(KeySource source) {
  switch (source) {
    case KeySource::file:
      return {"a copy of nexus.db alone",
              "whoever can read your files, or gets a backup of the whole directory"};
    case KeySource::environment:
      return {"a copy of the data directory, backups included",
              "whoever can read what sets the variable, or is root"};
    case KeySource::credential:
      return {"a copy of the disk, where systemd seals it with the machine's TPM",
              "whoever is root on this machine"};
    case KeySource::keyring:
      return {"a copy of your files, and whoever has the disk while you are logged out",
              "any program of yours while you are logged in"};
    case KeySource::command:
      return {"what its program protects the key from", "whoever can run that program as you"};
    case KeySource::passphrase:
      return {"whoever has all of your files, and the machine while it is locked",
              "a passphrase that can be guessed, and root while the vault is open"};
    case KeySource::memory:
      break;
  }
  return {"whoever comes later: it ends with nexusd", "root, and whoever may debug nexusd"};
}

std::string key_text(const api::VaultStatus& vault) {
  std::string text = word(vault.key_source);
  if (vault.key_source == KeySource::file) text += " (" + vault.data_dir + "/vault.key)";
  if (vault.passes)
    text += " (Argon2id, " + std::to_string(*vault.passes) + " passes over " +
            std::to_string(vault.memory_kib.value_or(0) / 1024) + " MiB)";
  return text;
}

std::string lock_text(const api::VaultStatus& vault) {
  std::vector<std::string> when{"when asked to"};
  if (const auto minutes = vault.lock_after_minutes; minutes != 0)
    when.push_back("after " + std::to_string(minutes) + (minutes == 1 ? " minute" : " minutes") +
                   " without a use");
  if (vault.lock_on_suspend) when.emplace_back("before the machine sleeps");
  if (when.size() > 1) when.back() = "and " + when.back();
  return join(when, ", ");
}

Result<int> show_vault_status(Context& context) {
  NEXUS_TRY(const auto vault, context.client.get<api::VaultStatus>("/v1/vault"));
  if (context.output.json) {
    context.output.json_line(api::to_json(vault));
    return 0;
  }
  const auto protection = protection_by(vault.key_source);
  print_record(context.output, {{"vault", vault.locked ? "locked" : "open"},
                                {"key from", key_text(vault)},
                                {"protects from", protection.from},
                                {"not from", protection.not_from},
                                {"locks", lock_text(vault)},
                                {"in memory", vault.memory_locked ? "kept out of swap"
                                                                  : "may be written to swap"}});
  if (!vault.suspicion.empty()) {
    context.output.line("");
    print_text(context.output, {"not trusted: "},
               vault.suspicion + "; nothing is refreshed unless a token is asked for");
    print_text(context.output, {"             "},
               "put the latest nexus.db in its place, or take it as it is: nexus vault accept");
  }
  for (const auto& weakness : vault.weaknesses) {
    context.output.line("");
    print_text(context.output, {"weak: "}, weakness.message);
    print_text(context.output, {"      "}, weakness.hint);
  }
  return 0;
}

struct ChangeKeyArgs {
  std::string to;
  std::string passphrase_file;
  std::string current_file;
  std::string key_file;
};

Result<void> check_key_args(const ChangeKeyArgs& args, KeySource to) {
  const bool takes_key = to == KeySource::environment || to == KeySource::credential;
  if (takes_key == args.key_file.empty())
    return Error{ErrorCode::usage,
                 takes_key
                     ? std::string("the key that the ") + word(to) + " is going to have is missing"
                     : "--key-file is for environment and credential",
                 takes_key ? "make one with: openssl rand -base64 32, and give --key-file FILE"
                           : "leave it out: nexusd makes the key, or gets it"};
  if (to != KeySource::passphrase && !args.passphrase_file.empty())
    return Error{ErrorCode::usage, "--passphrase-file is for a passphrase",
                 "leave it out, or change to passphrase"};
  if (args.passphrase_file == "-" && args.current_file == "-")
    return Error{ErrorCode::usage, "two passphrases cannot both come on stdin",
                 "put one of them into a file"};
  return {};
}

/// What is left to do before the next nexusd starts, in the person's hands.
std::string next_step(KeySource to) {
  if (to == KeySource::environment)
    return "set NEXUS_ENCRYPTION_KEY to that key wherever nexusd is started";
  if (to == KeySource::credential)
    return "give nexusd's unit that key as the credential nexusd.vault.key";
  return "";
}

Result<int> run_change_key(Context& context, const ChangeKeyArgs& args) {
  NEXUS_CHECK(check_local(context));
  const auto to = *from_word<KeySource>(args.to);
  NEXUS_CHECK(check_key_args(args, to));
  NEXUS_TRY(const auto vault, context.client.get<api::VaultStatus>("/v1/vault"));
  SecretJsonWriter json;
  json.begin().member("to", args.to);
  NEXUS_CHECK(write_current_passphrase(json, vault, args.current_file));
  if (to == KeySource::passphrase) {
    NEXUS_TRY(const auto passphrase, new_passphrase(args.passphrase_file, "New passphrase"));
    json.member("passphrase", passphrase.expose());
  }
  if (!args.key_file.empty()) {
    NEXUS_TRY(const auto key, read_secret(args.key_file, "Key (base64)"));
    json.member("key", key.expose());
  }
  NEXUS_TRY(const auto changed,
            context.client.post<api::VaultKeyChange>("/v1/vault/change-key", json.end().take()));
  if (!changed.left_behind.empty()) context.output.warn(changed.left_behind);
  if (context.output.json) {
    context.output.json_line(api::to_json(changed));
    return 0;
  }
  context.output.note(std::string("the vault opens with another key now, from: ") +
                      word(changed.to));
  if (const auto step = next_step(changed.to); !step.empty()) context.output.note("next: " + step);
  context.output.note("copies of the vault that were made before still open with the old one");
  return 0;
}

struct RotateArgs {
  std::string current_file;
};

/// Until it is through; Ctrl-C ends the watching alone.
Result<api::VaultRotation> watch_rotation(Context& context) {
  while (true) {
    NEXUS_TRY(const auto vault, context.client.get<api::VaultStatus>("/v1/vault"));
    if (vault.locked)
      return Error{ErrorCode::vault_locked,
                   "the vault was locked meanwhile: the rest is done when "
                   "it is opened",
                   "run: nexus unlock"};
    // A nexusd that was started again meanwhile has finished it before it answered.
    if (!vault.rotation) return api::VaultRotation{.done = true};
    if (vault.rotation->done) return *vault.rotation;
    context.output.progress(std::to_string(vault.rotation->fields) + " values are sealed anew");
    if (!wait_unless_interrupted(-1, 200))
      return Error{ErrorCode::interrupted, "nexusd goes on with it",
                   "how far it is: nexus vault status"};
  }
}

Result<int> run_rotate(Context& context, const RotateArgs& args) {
  NEXUS_CHECK(check_local(context));
  NEXUS_TRY(const auto vault, context.client.get<api::VaultStatus>("/v1/vault"));
  SecretJsonWriter json;
  json.begin();
  NEXUS_CHECK(write_current_passphrase(json, vault, args.current_file));
  NEXUS_CHECK(context.client.call_raw("POST", "/v1/vault/rotate", json.end().take()));
  const CatchInterrupt held;
  NEXUS_TRY(const auto rotated, watch_rotation(context));
  context.output.progress("");
  if (!rotated.error.empty())
    return Error{ErrorCode::failure, "not all values could be sealed anew: " + rotated.error,
                 "both keys open the vault; mend that, and run: nexus vault rotate"};
  if (context.output.json) {
    context.output.json_line(JsonWriter()
                                 .begin()
                                 .member("values", rotated.fields)
                                 .member("damaged", rotated.left)
                                 .end()
                                 .take());
    return 0;
  }
  context.output.note(std::to_string(rotated.fields - rotated.left) +
                      " values are sealed with a new vault key");
  if (rotated.left > 0)
    context.output.warn(std::to_string(rotated.left) +
                        " are damaged and stay as they are: nexus vault verify names them");
  return 0;
}

Command rotate_command() {
  auto args = std::make_shared<RotateArgs>();
  return {.name = "rotate",
          .summary = "Seal all that is kept with a new vault key",
          .arguments = {{"--current-passphrase-file",
                         &args->current_file,
                         "the passphrase that opens the vault in this file (- for stdin)",
                         {.value = "FILE", .names = Names::file}}},
          .action = [args](Context& context) { return run_rotate(context, *args); },
          .examples = {"nexus vault rotate"}};
}

struct AcceptArgs {
  bool yes = false;
};

Result<int> run_accept(Context& context, const AcceptArgs& args) {
  NEXUS_CHECK(check_local(context));
  NEXUS_TRY(const auto vault, context.client.get<api::VaultStatus>("/v1/vault"));
  if (!vault.suspicion.empty() && !args.yes) {
    if (!is_interactive())
      return Error{ErrorCode::usage, "the vault: " + vault.suspicion,
                   "to take it as it is without a question: --yes"};
    NEXUS_CHECK(confirm("The vault: " + vault.suspicion +
                        ". Refresh its tokens by itself again, as it is"));
  }
  NEXUS_CHECK(context.client.call_raw("POST", "/v1/vault/accept", ""));
  if (context.output.json)
    context.output.json_line(JsonWriter().begin().flag("accepted", true).end().take());
  else
    context.output.note("the vault counts as it is; its tokens are refreshed again");
  return 0;
}

Command accept_command() {
  auto args = std::make_shared<AcceptArgs>();
  return {.name = "accept",
          .summary = "Take a vault that was put back to what it was as it is",
          .arguments = {{"--yes", &args->yes, "do not ask"}},
          .action = [args](Context& context) { return run_accept(context, *args); },
          .examples = {"nexus vault accept"}};
}

Result<int> run_vault_verify(Context& context) {
  NEXUS_TRY(const auto verdict, context.client.get<api::VaultVerdict>("/v1/vault/verify"));
  const int code = verdict.findings.empty() ? 0 : 1;
  if (context.output.json) {
    context.output.json_line(api::to_json(verdict));
    return code;
  }
  for (const auto& finding : verdict.findings) context.output.line(finding);
  if (verdict.more_findings) context.output.line("and more");
  if (code == 0)
    context.output.line(std::to_string(verdict.values) + " sealed values and " +
                        std::to_string(verdict.records) +
                        " records of the audit log: all is as it was written");
  return code;
}

std::vector<std::string> choosable_sources() {
  auto sources = word_list<KeySource>();
  std::erase(sources, word(KeySource::memory));
  return sources;
}

Command change_key_command() {
  auto args = std::make_shared<ChangeKeyArgs>();
  return {.name = "change-key",
          .summary = "Have the vault open with another key, from elsewhere or from the same place",
          .arguments = {{"source",
                         &args->to,
                         "where it comes from then",
                         {.required = true, .one_of = choosable_sources()}},
                        {"--passphrase-file",
                         &args->passphrase_file,
                         "the new passphrase in this file (- for stdin)",
                         {.value = "FILE", .names = Names::file}},
                        {"--current-passphrase-file",
                         &args->current_file,
                         "the present passphrase in this file (- for stdin)",
                         {.value = "FILE", .names = Names::file}},
                        {"--key-file",
                         &args->key_file,
                         "the new key, which you keep (- for stdin)",
                         {.value = "FILE", .names = Names::file}}},
          .action = [args](Context& context) { return run_change_key(context, *args); },
          .examples = {"nexus vault change-key passphrase", "nexus vault change-key keyring",
                       "nexus vault change-key credential --key-file key"}};
}

}  // namespace

Result<Secret> new_passphrase(const std::string& file, const std::string& what) {
  if (!file.empty() || !is_interactive()) return read_secret(file.empty() ? "-" : file, what);
  NEXUS_TRY(auto first, ask_secret(what));
  NEXUS_TRY(const auto again, ask_secret("The same once more"));
  if (first.expose() == again.expose()) return first;
  return Error{ErrorCode::usage, "these were two passphrases", "type the same one twice"};
}

Result<void> write_current_passphrase(SecretJsonWriter& to, const api::VaultStatus& vault,
                                      const std::string& file) {
  if (file.empty() && vault.key_source != KeySource::passphrase) return {};
  NEXUS_TRY(const auto current, read_secret(file.empty() ? "-" : file, "The vault's passphrase"));
  to.member("current_passphrase", current.expose());
  return {};
}

Command vault_command() {
  return {.name = "vault",
          .summary = "See how the vault is kept, verify it, back it up, and change its keys",
          .examples = {"nexus vault status"},
          .commands = {{.name = "status",
                        .summary = "Show where the vault's key comes from, and what is weak",
                        .action = show_vault_status,
                        .examples = {"nexus vault status"}},
                       {.name = "verify",
                        .summary = "Open all that is kept, and name what is not as it was written",
                        .action = run_vault_verify,
                        .examples = {"nexus vault verify"}},
                       vault_backup_command(),
                       vault_restore_command(),
                       rotate_command(),
                       accept_command(),
                       change_key_command()}};
}

}  // namespace nexus::cli
