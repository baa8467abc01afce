#pragma once

#include <string>

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

struct Opener {
  Secret private_key;
  Secret passphrase;
};

/// Both may be missing. Error: usage.
Result<Opener> read_opener(const OpenerArgs& args);
/// As the members `private_key` and `passphrase`, where they are.
void write_opener(SecretJsonWriter& to, const Opener& opener);

}  // namespace nexus::cli
