// git-credential(1): erase. An API has refused the token: the next one has to be another.
#include <signal.h>
#include <sodium.h>
#include <unistd.h>

#include <array>

#include "cli/credential/git_request.h"
#include "cli/credential/helpers.h"
#include "common/bytes.h"

namespace nexus::cli {
namespace {

constexpr unsigned kPatience = 3;  ///< seconds: git waits, and the person with it

std::string sha256_digits(std::string_view text) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), bytes_of(text), text.size());
  std::array<char, 2 * digest.size() + 1> digits{};
  sodium_bin2hex(digits.data(), digits.size(), digest.data(), digest.size());
  return digits.data();
}

}  // namespace

Result<int> erase_git_token(Context& context, const HelperArgs& args) {
  NEXUS_TRY(const auto text, read_request());
  NEXUS_TRY(const auto request, parse_git_request(text));
  const auto mapping = answering(context, args, request.site);
  if (!mapping || request.secret.empty()) return 0;
  // The mapping may be about another connection by now than the one that git was given.
  const bool told = request.connection.starts_with("conn_");
  const auto& connection = told ? request.connection : mapping->connection;
  // The daemon goes on with a refresh that nobody waits for.
  signal(SIGALRM, [](int) { _exit(0); });
  alarm(kPatience);
  // Whatever comes of it: git has its own message for a person.
  static_cast<void>(context.client.call_raw("POST",
                                            context.client.target("/v1/refresh/", connection) +
                                                "&if_token_sha256=" + sha256_digits(request.secret),
                                            ""));
  return 0;
}

}  // namespace nexus::cli
