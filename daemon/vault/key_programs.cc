#include "daemon/vault/key_programs.h"

#include <sys/wait.h>

#include <array>

#include "common/paths.h"
#include "common/text.h"
#include "daemon/child_program.h"
#include "daemon/crypto/encoding.h"
#include "daemon/keyring_program.h"
#include "daemon/vault/key_text.h"

namespace nexus {
namespace {

/// A person may have to enter what opens their password store.
constexpr int kCommandPatienceMs = 120'000;
constexpr int kKeyringPatienceMs = 3'000;
constexpr int kNone = 3;  ///< what nexus-keyring ends with where there is none

/// What programs that have keys need beside that of the person's session.
std::vector<std::string> environment_of_key_program() {
  auto kept = environment_of_session();
  for (const char* name : {"GPG_TTY", "GNUPGHOME", "PASSWORD_STORE_DIR", "SSH_AUTH_SOCK"})
    if (const auto value = environment(name); !value.empty())
      kept.push_back(std::string(name) + "=" + value);
  return kept;
}

std::string how_it_ended(const ChildEnd& end) {
  if (WIFSIGNALED(end.status)) return "was stopped";
  return "ended with " + std::to_string(WEXITSTATUS(end.status));
}

Error no_key(const std::string& what, const std::string& hint) {
  return {ErrorCode::vault_key_wrong, what, hint};
}

Result<Secret> key_printed_by(const std::vector<std::string>& command, bool vault_exists) {
  const auto ran = run_child({.command = command,
                              .environment = environment_of_key_program(),
                              .directory = "",
                              .patience_ms = kCommandPatienceMs});
  const auto name = "vault.key_command (" + printable(command.front(), 80) + ")";
  if (!ran) return no_key(name + " cannot be run: " + ran.error().message, ran.error().hint);
  if (ran->status != 0)
    return no_key(name + " " + how_it_ended(*ran) + (ran->said.empty() ? "" : ": ") +
                      printable(ran->said.substr(0, ran->said.find('\n')), 200),
                  "run it by hand: it has to print the key, and to end with 0");
  return read_key_text(ran->printed, "what " + name + " prints", vault_exists);
}

std::string place_of(const KeyringEntry& entry) {
  return hex(sha256(entry.data_dir));
}

Result<ChildEnd> ask_keyring(std::vector<std::string> words, std::string_view input = {}) {
  words.insert(words.begin(), keyring_program());
  auto end = run_child({.command = std::move(words),
                        .environment = environment_of_key_program(),
                        .directory = "",
                        .input = input,
                        .patience_ms = kKeyringPatienceMs});
  const std::string hint =
      "log in to the desktop, unlock its keyring, and try again; nothing was changed";
  if (!end) return no_key("the keyring cannot be asked: " + end.error().message, hint);
  if (WIFSIGNALED(end->status))
    return no_key(
        "the keyring did not answer within " + std::to_string(kKeyringPatienceMs / 1000) + " s",
        hint);
  if (WEXITSTATUS(end->status) == 0 || WEXITSTATUS(end->status) == kNone) return end;
  return no_key("the keyring cannot be used: " + printable(trim(end->said), 300), hint);
}

}  // namespace

Result<std::optional<Secret>> key_from_keyring(const KeyringEntry& entry, bool vault_exists) {
  NEXUS_TRY(const auto end, ask_keyring({"get", hex(entry.vault_id), place_of(entry)}));
  if (WEXITSTATUS(end.status) == kNone) return std::optional<Secret>();
  NEXUS_TRY(auto key, read_key_text(end.printed, "what the keyring has", vault_exists));
  return std::optional(std::move(key));
}

Result<void> put_key_in_keyring(const KeyringEntry& entry, const Secret& key) {
  NEXUS_CHECK(
      ask_keyring({"put", hex(entry.vault_id), place_of(entry), "Nexus vault " + entry.data_dir},
                  key_text(key)));
  NEXUS_TRY(const auto kept, key_from_keyring(entry, true));
  if (kept && kept->expose() == key.expose()) return {};
  return no_key("the keyring does not give back what was put there",
                "look at it with: seahorse; nothing was changed");
}

Result<void> forget_key_in_keyring(const KeyringEntry& entry) {
  NEXUS_CHECK(ask_keyring({"forget", hex(entry.vault_id), place_of(entry)}));
  return {};
}

Result<Secret> key_from_command(const std::vector<std::string>& command, bool vault_exists) {
  if (command.empty() || command.front().empty())
    return Error{ErrorCode::usage, "nexus.toml names no vault.key_command",
                 "name the program that prints the key, for example key_command = [\"pass\", "
                 "\"show\", \"nexus\"] under [vault], then run: nexus daemon restart"};
  NEXUS_TRY(auto key, key_printed_by(command, vault_exists));
  if (vault_exists) return key;
  // Before anything is locked up with it: one that makes a key each time would be the end.
  NEXUS_TRY(const auto again, key_printed_by(command, vault_exists));
  if (again.expose() == key.expose()) return key;
  return no_key(
      "vault.key_command (" + printable(command.front(), 80) + ") prints another key each time",
      "have it print one that is kept somewhere; nothing was changed");
}

}  // namespace nexus
