#include "daemon/access/environment_keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "common/paths.h"
#include "common/regular_file.h"
#include "common/secret.h"
#include "common/secret_fault.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/log.h"

namespace nexus {
namespace {

constexpr std::size_t kShortest = 16;
constexpr std::size_t kLargestFile = 64 * 1024;

Result<Secret> read_key_file(const std::string& variable, const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorCode::usage, variable + " names " + path + ", which " + why,
                 "name a readable file of at most 64 KiB with a key a line"};
  };
  const auto file = open_regular_file(path);
  if (file.get() < 0) return refuse("cannot be opened: " + why_not_opened());
  SecretText text;
  text.resize(kLargestFile + 1);
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = read(file.get(), text.data() + size, text.size() - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kLargestFile) return refuse("is too large");
  return Secret(std::string_view(text).substr(0, size));
}

Result<std::chrono::seconds> reload_interval() {
  auto interval = environment("API_KEY_RELOAD_INTERVAL");
  if (interval.empty()) return std::chrono::seconds(30);
  if (interval.ends_with('s')) interval.pop_back();
  const auto seconds = parse_number(interval);
  if (!seconds || *seconds < 1 || *seconds > 86400)
    return Error{ErrorCode::usage, "API_KEY_RELOAD_INTERVAL is not a number of seconds",
                 "for example 30s"};
  return std::chrono::seconds(*seconds);
}

}  // namespace

EnvironmentKeys::EnvironmentKeys(bool wanted, Hash hash, WorkerPool& workers)
    : wanted_(wanted),
      hash_(std::move(hash)),
      workers_(workers),
      access_(std::make_shared<const Access>(Access{true, {}})) {}

Result<void> EnvironmentKeys::add(const std::string& variable, std::string_view keys,
                                  std::vector<Key>& out) const {
  int number = 0;
  while (!keys.empty()) {
    const auto end = keys.find_first_of(",\n");
    const auto key = trim(keys.substr(0, end));
    keys.remove_prefix(end == std::string_view::npos ? keys.size() : end + 1);
    if (key.empty()) continue;
    if (const auto fault = fault_of_secret(key, SecretForm::line); !fault.empty())
      return Error{ErrorCode::usage, "a key of " + variable + " " + fault, "copy it again"};
    if (key.size() < kShortest)
      return Error{ErrorCode::usage, variable + " holds a key of less than 16 characters",
                   "make one with: openssl rand -hex 32"};
    out.push_back({variable,
                   variable + "#" + std::to_string(++number),
                   hash_(key),
                   {},
                   std::make_shared<Permit>()});
  }
  return {};
}

Result<std::vector<EnvironmentKeys::Key>> EnvironmentKeys::read_files() const {
  std::vector<Key> keys;
  for (const auto& [variable, path] : files_) {
    NEXUS_TRY(const auto text, read_key_file(variable, path));
    NEXUS_CHECK(add(variable, text.expose(), keys));
  }
  return keys;
}

Result<void> EnvironmentKeys::load() {
  const std::lock_guard lock(mutex_);
  for (const char* variable : {"API_KEY", "API_KEYS"}) {
    auto value = environment(variable);
    // /proc/PID/environ goes on showing it to this user; children do not inherit it.
    unsetenv(variable);
    if (!wanted_ && !value.empty())
      log(LogLevel::info, "environment_key_passed_over",
          {{"variable", variable}, {"setting", "gateway.environment_keys"}});
    const auto added = wanted_ ? add(variable, value, fixed_) : Result<void>();
    wipe(value);
    NEXUS_CHECK(added);
  }
  if (!wanted_) return {};
  NEXUS_TRY(reload_interval_, reload_interval());
  for (const char* variable : {"API_KEY_FILE", "API_KEYS_FILE"})
    if (const auto path = environment(variable); !path.empty()) files_.emplace_back(variable, path);
  NEXUS_TRY(from_files_, read_files());
  read_at_ = std::chrono::steady_clock::now();
  return {};
}

void EnvironmentKeys::read_again() {
  auto keys = read_files();
  // A file that is being replaced keeps its former keys until it can be read again.
  if (!keys)
    return log(LogLevel::error, "api_keys_not_reloaded", {{"error", keys.error().message}});
  std::vector<Key> gone;
  {
    const std::lock_guard lock(mutex_);
    for (auto& former : from_files_) {
      bool stays = false;
      for (auto& key : *keys) {
        if (former.hash != key.hash) continue;
        key.used_at = former.used_at;
        key.permit = former.permit;
        stays = true;
      }
      if (!stays) gone.push_back(std::move(former));
    }
    from_files_ = *std::move(keys);
  }
  for (const auto& key : gone)
    key.permit->withdraw({ErrorCode::invalid_api_key, "the API key is no longer in its file",
                          "use one that is there"});
}

std::optional<EnvironmentKeys::Key> EnvironmentKeys::use(const std::string& hash, UnixTime now) {
  const std::lock_guard lock(mutex_);
  const auto at = std::chrono::steady_clock::now();
  if (!files_.empty() && at - read_at_ >= reload_interval_) {
    read_at_ = at;
    workers_.submit([this] { read_again(); });
  }
  Key* found = nullptr;
  for (auto* keys : {&fixed_, &from_files_})
    for (auto& key : *keys)
      if (equal_constant_time(key.hash, hash)) found = &key;
  if (!found) return std::nullopt;
  found->used_at = now;
  return *found;
}

std::vector<EnvironmentKeys::Key> EnvironmentKeys::list() {
  const std::lock_guard lock(mutex_);
  auto keys = fixed_;
  keys.insert(keys.end(), from_files_.begin(), from_files_.end());
  return keys;
}

}  // namespace nexus
