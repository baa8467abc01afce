#pragma once

#include <string>
#include <vector>

#include "common/arguments.h"
#include "common/error.h"
#include "common/json.h"
#include "common/secret.h"

namespace nexus::cli {

/// Where what opens a bundle or a backup comes from: files ("-" for stdin), else NEXUS_BUNDLE_KEY
/// and NEXUS_BUNDLE_PASSPHRASE.
struct OpenerArgs {
  std::string key_file;
  std::string passphrase_file;
};

/// As the options of a command.
std::vector<Argument> opener_arguments(OpenerArgs& args);

struct Opener {
  Secret private_key;
  Secret passphrase;

  bool is_missing() const { return private_key.empty() && passphrase.empty(); }
};

/// Both may be missing. Error: usage.
Result<Opener> read_opener(const OpenerArgs& args);
/// usage: nothing opens it. `what`: "a bundle".
Error nothing_opens(const std::string& what);
/// As the members `private_key` and `passphrase`, where they are.
void write_opener(SecretJsonWriter& to, const Opener& opener);

}  // namespace nexus::cli
