#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/net/http_client.h"
#include "tests/support/authorization_server.h"
#include "tests/support/events.h"

namespace nexus::test {

/// How one request is answered.
using Answer = std::function<Result<IncomingResponse>(const SeenRequest&)>;

namespace answers {

Answer json(int status, const nlohmann::json& body);
Answer text(int status, const std::string& type, const std::string& body);
/// RFC 6749 5.2.
Answer oauth_error(int status, const std::string& code);
/// `retry_after` as the header has it.
Answer unavailable(int status, const std::string& retry_after = {});
/// Nobody is there: the request did not leave.
Answer unreachable();
/// The request left, and nobody knows what became of it.
Answer lost();
/// What the other one answers, which then is lost.
Answer lost_after(Answer answer);
/// What the other one answers, with these members of its JSON set.
Answer with(Answer answer, nlohmann::json members);

}  // namespace answers

/// Every provider that a test talks to, at the seam of HttpClient: an AuthorizationServer, but for
/// what the test scripts. It records what it is sent, and can let a test look around while a
/// request is under way. Thread-safe.
class ScriptedProvider : public HttpClient {
 public:
  ScriptedProvider(Clock clock, Events& events);

  AuthorizationServer& server() { return server_; }
  /// As the server would answer, for `lost_after` and `with`.
  Answer as_usual();

  /// The next request to the path is answered so; several are taken in their order.
  void answers(Answer next, const std::string& path = "/token");
  /// All that follow, but for those of `answers`. Nothing: as usual again.
  void always_answers(Answer answer, const std::string& path = "/token");
  /// Called by each request to a token endpoint on its way, before it is answered.
  void on_the_way(std::function<void(const SeenRequest&)> look);
  /// From now on requests to token endpoints (of that host, if given) wait for `release`.
  void hold(const std::string& host = {});
  void release();

  std::vector<SeenRequest> requests(const std::string& path = "/token") const;
  /// The requests that brought a refresh token.
  std::vector<SeenRequest> refreshes() const;
  /// The most requests to the host's token endpoint that were under way at once.
  int most_at_once(const std::string& host) const;
  /// Waits until so many refreshes have come in, answered or held.
  bool sees_refreshes(std::size_t count);

  Result<IncomingResponse> send(const OutgoingRequest& request) override;

 private:
  Answer next_answer(const SeenRequest& request);
  void wait_while_held(const SeenRequest& request);

  Events& events_;
  AuthorizationServer server_;
  mutable std::mutex mutex_;
  std::vector<SeenRequest> seen_;
  std::map<std::string, std::deque<Answer>> next_;
  std::map<std::string, Answer> always_;
  std::function<void(const SeenRequest&)> look_;
  bool holding_ = false;
  std::string held_host_;
  struct Load {
    int now = 0;
    int most = 0;
  };
  std::map<std::string, Load> loads_;  ///< by host
};

}  // namespace nexus::test
