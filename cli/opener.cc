#include "cli/opener.h"

#include <cstdlib>

#include "cli/output/prompt.h"
#include "cli/secret_reader.h"

namespace nexus::cli {
namespace {

Result<Secret> secret_from(const std::string& file, const char* variable, const char* prompt) {
  if (!file.empty()) return read_secret(file, prompt);
  const char* value = std::getenv(variable);
  if (!value) return Secret();
  return take_secret(value, variable);
}

}  // namespace

std::vector<Argument> opener_arguments(OpenerArgs& args) {
  return {{"--key-file",
           &args.key_file,
           "the private key that it was sealed for (else NEXUS_BUNDLE_KEY)",
           {.value = "FILE", .names = Names::file}},
          {"--passphrase-file",
           &args.passphrase_file,
           "its passphrase (else NEXUS_BUNDLE_PASSPHRASE)",
           {.value = "FILE", .names = Names::file}}};
}

Error nothing_opens(const std::string& what) {
  return {ErrorCode::usage, what + " is opened with a private key or a passphrase",
          "give --key-file FILE or --passphrase-file FILE (- for stdin), or set "
          "NEXUS_BUNDLE_KEY or NEXUS_BUNDLE_PASSPHRASE"};
}

Result<Opener> read_opener(const OpenerArgs& args) {
  Opener opener;
  NEXUS_TRY(opener.private_key, secret_from(args.key_file, "NEXUS_BUNDLE_KEY", "Private key"));
  NEXUS_TRY(opener.passphrase,
            secret_from(args.passphrase_file, "NEXUS_BUNDLE_PASSPHRASE", "Passphrase"));
  return opener;
}

void write_opener(SecretJsonWriter& to, const Opener& opener) {
  if (!opener.private_key.empty()) to.member("private_key", opener.private_key.expose());
  if (!opener.passphrase.empty()) to.member("passphrase", opener.passphrase.expose());
}

}  // namespace nexus::cli
