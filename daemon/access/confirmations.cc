#include "daemon/access/confirmations.h"

#include <sys/wait.h>

#include "daemon/child_program.h"
#include "daemon/crypto/encoding.h"
#include "daemon/log.h"

namespace nexus {
namespace {

constexpr UnixTime kNonceLives = 120;
constexpr std::size_t kMostNonces = 1000;
constexpr std::size_t kMostOpen = 8;
constexpr int kPromptPatienceMs = 60'000;

Error too_many_questions() {
  Error error{ErrorCode::overloaded, "too many uses wait to be confirmed", "try again in 60 s"};
  error.retry_after_s = 60;
  return error;
}

Result<void> answer_to(const std::string& question, std::vector<std::string> command) {
  command.push_back(question);
  const auto end = run_child({.command = std::move(command),
                              .environment = environment_of_session(),
                              .directory = "",
                              .patience_ms = kPromptPatienceMs});
  if (!end) {
    log(LogLevel::error, "prompt_not_run", {{"error", end.error().message}});
    return Error{ErrorCode::confirmation_refused,
                 "the program that is to ask cannot be run: " + end.error().message,
                 "correct access.prompt in nexus.toml"};
  }
  if (WIFEXITED(end->status) && WEXITSTATUS(end->status) == 0) return {};
  return Error{ErrorCode::confirmation_refused, "nobody confirmed the use",
               "whoever is asked has to say yes, within a minute"};
}

}  // namespace

void Confirmations::ask(const Asked& asked, Done done) {
  const Key key{asked.connection_id, asked.caller};
  if (is_confirmed(asked, key)) return done({});
  if (prompt_.empty()) return done(ask_caller(asked, key));
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(key);
    if (found != open_.end()) return found->second.push_back(std::move(done));
    if (open_.size() < kMostOpen) open_[key].push_back(std::exchange(done, nullptr));
  }
  if (done) return done(too_many_questions());
  workers_.submit([this, asked, key] { run_prompt(asked, key); });
}

bool Confirmations::is_confirmed(const Asked& asked, const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_();
  std::erase_if(said_yes_, [now](const auto& each) { return each.second <= now; });
  std::erase_if(nonces_, [now](const auto& each) { return each.second.until <= now; });
  if (asked.minutes > 0 && said_yes_.contains(key)) return true;
  const auto nonce = nonces_.find(asked.nonce);
  if (nonce == nonces_.end() || nonce->second.key != key) return false;
  nonces_.erase(nonce);
  if (asked.minutes > 0) said_yes_[key] = now + asked.minutes * 60;
  return true;
}

Error Confirmations::ask_caller(const Asked& asked, const Key& key) {
  Error error{ErrorCode::confirmation_required,
              "the use has to be confirmed, and there is no terminal to ask on",
              "run it on a terminal, or name a program that asks: access.prompt in nexus.toml"};
  error.question = asked.question;
  error.nonce = random_token(32);
  const std::lock_guard lock(mutex_);
  if (nonces_.size() >= kMostNonces) nonces_.clear();
  nonces_[error.nonce] = {key, clock_() + kNonceLives};
  return error;
}

void Confirmations::run_prompt(const Asked& asked, const Key& key) {
  const auto answer = answer_to(asked.question, prompt_);
  std::vector<Done> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::move(open_.extract(key).mapped());
    if (answer && asked.minutes > 0) said_yes_[key] = clock_() + asked.minutes * 60;
  }
  for (const auto& done : waiting) done(answer);
}

void Confirmations::forget(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(said_yes_, [&](const auto& each) { return each.first.first == connection_id; });
  std::erase_if(nonces_, [&](const auto& each) { return each.second.key.first == connection_id; });
}

}  // namespace nexus
