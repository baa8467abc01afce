#include "daemon/access/runs.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/access/key_text.h"
#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr std::size_t kMost = 1000;

Error is_over() {
  return {ErrorCode::invalid_api_key, "the program that this key was made for is over",
          "start it again with: nexus exec --proxy"};
}

}  // namespace

Runs::~Runs() {
  for (const auto& [id, run] : runs_) close(run.process);
}

Result<Secret> Runs::begin(pid_t process, Access access) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  if (handle < 0)
    return Error{ErrorCode::failure,
                 "the process that asks cannot be watched: " + std::string(std::strerror(errno)),
                 "run it where nexusd runs, not in a container of its own"};
  Secret key(new_key(kPrefix));
  const auto id = id_in_key(kPrefix, key.expose());
  {
    const std::lock_guard lock(mutex_);
    if (runs_.size() >= kMost) {
      close(handle);
      return Error{ErrorCode::overloaded, "a thousand programs have such a key already",
                   "end some of them"};
    }
    runs_[id] = {sha256(key.expose()), std::make_shared<const Access>(std::move(access)), handle};
  }
  loop_.post([this, id] { watch(id); });
  return key;
}

Result<ApiKeys::Identity> Runs::verify(std::string_view key) {
  const auto hash = sha256(key);
  const auto id = id_in_key(kPrefix, key);
  const std::lock_guard lock(mutex_);
  if (const auto found = runs_.find(id);
      found != runs_.end() && equal_constant_time(hash, found->second.hash))
    return ApiKeys::Identity{std::string(kPrefix) + id, found->second.access, found->second.permit};
  return is_over();
}

std::size_t Runs::count() {
  const std::lock_guard lock(mutex_);
  return runs_.size();
}

std::vector<Runs::Left> Runs::leave() {
  std::vector<Left> left;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, run] : runs_)
    left.push_back(
        {id, run.hash, to_text(*run.access), Descriptor(fcntl(run.process, F_DUPFD_CLOEXEC, 0))});
  return left;
}

void Runs::take_over(std::vector<Left> left) {
  for (auto& [id, hash, text, process] : left) {
    auto access = access_from_text(text);
    if (!access) continue;
    {
      const std::lock_guard lock(mutex_);
      runs_[id] = {hash, std::make_shared<const Access>(*std::move(access)), process.release()};
    }
    loop_.post([this, id = id] { watch(id); });
  }
}

void Runs::watch(const std::string& id) {
  const std::lock_guard lock(mutex_);
  auto& run = runs_.at(id);
  run.watch = loop_.watch(run.process, EPOLLIN, [this, id](std::uint32_t) { end(id); });
}

void Runs::end(const std::string& id) {
  std::shared_ptr<Permit> permit;
  {
    const std::lock_guard lock(mutex_);
    const auto over = runs_.extract(id);
    loop_.unwatch(over.mapped().watch);
    close(over.mapped().process);
    permit = over.mapped().permit;
  }
  permit->withdraw(is_over());
  ended_();
}

}  // namespace nexus
