#include "tests/support/scripted_provider.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/net/url.h"

namespace nexus::test {
namespace {

SeenRequest taken_apart(const OutgoingRequest& request) {
  SeenRequest seen;
  seen.method = request.head.method;
  seen.total_ms = request.total_ms;
  if (const auto url = parse_url(request.head.url, "the request's URL")) {
    seen.host = url->host;
    seen.path = url->path;
  }
  for (const auto& [name, value] : request.head.headers)
    seen.headers[lower(name)] = std::string(value.expose());
  if (request.content_type == "application/x-www-form-urlencoded")
    if (const auto form = parse_form(request.body)) seen.form = {form->begin(), form->end()};
  return seen;
}

Error lost_error() {
  Error error{ErrorCode::upstream_error, "the connection broke before the answer came",
              "check the network, then try again"};
  error.may_have_arrived = true;
  return error;
}

}  // namespace

namespace answers {

Answer json(int status, const nlohmann::json& body) {
  return [=](const SeenRequest&) { return json_answer(status, body); };
}

Answer text(int status, const std::string& type, const std::string& body) {
  return [=](const SeenRequest&) {
    return IncomingResponse{status, {{"content-type", type}}, SecretText(body)};
  };
}

Answer oauth_error(int status, const std::string& code) {
  return json(status, {{"error", code}});
}

Answer unavailable(int status, const std::string& retry_after) {
  return [=](const SeenRequest&) {
    auto answer = json_answer(status, nlohmann::json::object());
    if (!retry_after.empty()) answer.headers["retry-after"] = retry_after;
    return answer;
  };
}

Answer unreachable() {
  return [](const SeenRequest&) {
    return Error{ErrorCode::upstream_error, "the network is down",
                 "check the network, then try again"};
  };
}

Answer lost() {
  return [](const SeenRequest&) { return lost_error(); };
}

Answer lost_after(Answer answer) {
  return [answer = std::move(answer)](const SeenRequest& request) {
    static_cast<void>(answer(request));
    return lost_error();
  };
}

Answer with(Answer answer, nlohmann::json members) {
  return [answer = std::move(answer), members = std::move(members)](const SeenRequest& request) {
    auto response = answer(request);
    if (!response) return response;
    auto body = nlohmann::json::parse(response->body);
    body.update(members);
    response->body = SecretText(body.dump());
    return response;
  };
}

}  // namespace answers

ScriptedProvider::ScriptedProvider(Clock clock, Events& events)
    : events_(events), server_(std::move(clock)) {}

Answer ScriptedProvider::as_usual() {
  return [this](const SeenRequest& request) { return server_.answer(request); };
}

void ScriptedProvider::answers(Answer next, const std::string& path) {
  const std::lock_guard lock(mutex_);
  next_[path].push_back(std::move(next));
}

void ScriptedProvider::always_answers(Answer answer, const std::string& path) {
  const std::lock_guard lock(mutex_);
  always_[path] = std::move(answer);
}

void ScriptedProvider::on_the_way(std::function<void(const SeenRequest&)> look) {
  const std::lock_guard lock(mutex_);
  look_ = std::move(look);
}

void ScriptedProvider::hold(const std::string& host) {
  const std::lock_guard lock(mutex_);
  holding_ = true;
  held_host_ = host;
}

void ScriptedProvider::release() {
  {
    const std::lock_guard lock(mutex_);
    holding_ = false;
  }
  events_.happened();
}

std::vector<SeenRequest> ScriptedProvider::requests(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  std::vector<SeenRequest> found;
  std::copy_if(seen_.begin(), seen_.end(), std::back_inserter(found),
               [&](const SeenRequest& request) { return request.path == path; });
  return found;
}

std::vector<SeenRequest> ScriptedProvider::refreshes() const {
  auto found = requests();
  std::erase_if(found, [](const SeenRequest& request) { return !request.has("refresh_token"); });
  return found;
}

int ScriptedProvider::most_at_once(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = loads_.find(host);
  return found == loads_.end() ? 0 : found->second.most;
}

bool ScriptedProvider::sees_refreshes(std::size_t count) {
  return events_.eventually([&] { return refreshes().size() >= count; });
}

Answer ScriptedProvider::next_answer(const SeenRequest& request) {
  const std::lock_guard lock(mutex_);
  if (auto& queue = next_[request.path]; !queue.empty()) {
    auto answer = std::move(queue.front());
    queue.pop_front();
    return answer;
  }
  if (const auto& always = always_[request.path]) return always;
  return as_usual();
}

void ScriptedProvider::wait_while_held(const SeenRequest& request) {
  events_.eventually([&] {
    const std::lock_guard lock(mutex_);
    return !holding_ || (!held_host_.empty() && held_host_ != request.host);
  });
}

Result<IncomingResponse> ScriptedProvider::send(const OutgoingRequest& request) {
  const auto seen = taken_apart(request);
  const bool for_tokens = seen.path == "/token";
  std::function<void(const SeenRequest&)> look;
  {
    const std::lock_guard lock(mutex_);
    seen_.push_back(seen);
    if (for_tokens) {
      look = look_;
      auto& load = loads_[seen.host];
      load.most = std::max(load.most, ++load.now);
    }
  }
  if (look) look(seen);
  events_.happened();
  if (for_tokens) wait_while_held(seen);
  auto answer = next_answer(seen)(seen);
  if (for_tokens) {
    const std::lock_guard lock(mutex_);
    --loads_[seen.host].now;
  }
  return answer;
}

}  // namespace nexus::test
