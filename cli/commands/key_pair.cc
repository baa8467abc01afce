#include "cli/commands/key_pair.h"

#include <sodium.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "common/bundle_key.h"
#include "common/bytes.h"
#include "common/id.h"
#include "common/new_file.h"

namespace nexus::cli {
namespace {

static_assert(kBundleKeyBytes == crypto_scalarmult_BYTES);
static_assert(kBundleKeyBytes == crypto_scalarmult_SCALARBYTES);

struct KeyPair {
  SecretText private_key;  ///< as texts
  std::string public_key;
};

KeyPair make_pair() {
  SecretText secret(kBundleKeyBytes, '\0');
  random_bytes(secret.data(), secret.size());
  std::string open(kBundleKeyBytes, '\0');
  crypto_scalarmult_base(room_of(open), bytes_of(secret));
  return {bundle_key_text(BundleKey::private_key, secret),
          std::string(bundle_key_text(BundleKey::public_key, open))};
}

Result<void> store(const std::string& file, const SecretText& private_key) {
  if (make_new_file(file, private_key + '\n')) return {};
  if (errno == EEXIST)
    return Error{ErrorCode::usage, file + " exists already, and a key is never overwritten",
                 "name another file, or use the key that is there"};
  return Error{ErrorCode::failure, "cannot make " + file + ": " + std::strerror(errno),
               "name a file in a directory that you can write"};
}

Result<int> run_pair(Context& context, const std::string& file) {
  const auto pair = make_pair();
  if (!file.empty()) NEXUS_CHECK(store(file, pair.private_key));
  if (context.output.json) {
    SecretJsonWriter json;
    json.begin().member("public_key", pair.public_key);
    if (file.empty()) json.member("private_key", pair.private_key);
    context.output.json_line(json.end().take());
  } else if (file.empty()) {
    context.output.note("public key: " + pair.public_key);
    context.output.raw(pair.private_key + '\n');
  } else {
    context.output.line(pair.public_key);
  }
  return 0;
}

}  // namespace

Command key_pair_command() {
  auto file = std::make_shared<std::string>();
  return {
      .name = "pair",
      .summary = "Make the key pair that bundles are sealed for (nexus export)",
      .arguments = {{"-o,--output",
                     file.get(),
                     "put the private key into this new file and print the public key; - is stdout",
                     {.value = "FILE", .names = Names::file}}},
      .action =
          [file](Context& context) {
            return run_pair(context, *file == "-" ? std::string() : *file);
          },
      .examples = {"nexus key pair -o ci.key"}};
}

}  // namespace nexus::cli
