#include "daemon/upstream/forwarder.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "common/text.h"
#include "common/version.h"
#include "daemon/crypto/encoding.h"
#include "daemon/net/curl_options.h"
#include "daemon/net/url.h"
#include "daemon/provider/api_base.h"
#include "daemon/provider/api_request.h"
#include "daemon/strategy/credential_schema.h"
#include "daemon/upstream/clock_skew.h"
#include "daemon/upstream/filled_target.h"
#include "daemon/upstream/kept_body.h"

namespace nexus {
/// One request on its way: each step hands it to whoever does the next one.
class Forwarder::Forwarding : public std::enable_shared_from_this<Forwarding> {
 public:
  Forwarding(Forwarder& forwarder, ForwardedRequest request, Done done)
      : forwarder_(forwarder),
        request_(std::move(request)),
        done_(std::move(done)),
        kept_bytes_(forwarder.kept_by_all_) {}
  Forwarding(Forwarder& forwarder, ForwardedRequest request, bool shows_secrets, Shown shown)
      : forwarder_(forwarder),
        request_(std::move(request)),
        shown_(std::move(shown)),
        shows_secrets_(shows_secrets),
        kept_bytes_(forwarder.kept_by_all_) {}

  void begin() {
    if (!shown_) begin_lease();
    if (const auto goes_on = check_lease(); !goes_on) return fail(goes_on.error());
    forwarder_.tokens_.fetch(
        request_.connection_id, 0, request_.caller,
        [self = shared_from_this()](Result<FetchedToken> token) {
          self->go_on_with(std::move(token));
        },
        shows_secrets_ ? Right::use : Right::forward);
  }

 private:
  /// Before anything of the connection is read: what is withdrawn from here on is not missed.
  void begin_lease() {
    auto permits = std::move(request_.permits);
    permits.push_back(forwarder_.permits_.of(request_.connection_id));
    lease_ = Lease::under(std::move(permits));
    lease_->on_end([weak = weak_from_this(), &loop = forwarder_.client_.loop()](const Error& why) {
      loop.post([weak, why] {
        if (const auto self = weak.lock()) self->withdrawn(why);
      });
    });
  }

  Result<void> check_lease() const {
    if (const auto why = lease_ ? lease_->why() : std::nullopt) return *why;
    return {};
  }

  /// There is no answer yet: what is under way is not wanted any more. The client's loop.
  void withdrawn(const Error& why) {
    if (is_answered_.exchange(true)) return;
    if (request_.wanted) request_.wanted->end();
    if (const auto& stream = request_.body.stream) {
      stream->on_data({});
      stream->abandon();
    }
    done_(why);
  }

  void go_on_with(Result<FetchedToken> token) {
    if (!token) return fail(token.error());
    token_ = *std::move(token);
    if (const auto aimed = aim(); !aimed) return fail(aimed.error());
    const auto most =
        most_kept(token_.strategy, request_.method, request_.headers, request_.body.length);
    if (!request_.body.stream || most == 0) return send();
    if (request_.body.length.value_or(0) > most) return fail(too_large_to_sign());
    keep_body(most);
  }

  /// Finds out where it goes, before any of it does.
  Result<void> aim() {
    if (!request_.provider.empty() && lower(request_.provider) != token_.provider)
      return Error{ErrorCode::connection_not_found,
                   "the connection is none of " + printable(request_.provider, 80),
                   "it is one of " + token_.provider, token_.connection_id, token_.provider};
    if (token_.strategy) {
      NEXUS_TRY(credentials_, credentials_from_document(token_.document.expose()));
    }
    auto& aims = forwarder_.aims_;
    aim_ = aims.find(token_.connection_id, token_.row);
    if (!aim_) {
      NEXUS_TRY(auto provider,
                forwarder_.providers_.of_connection(token_.provider_id, token_.provider));
      NEXUS_TRY(const auto base, api_address(provider));
      NEXUS_TRY(auto destinations, Destinations::of(provider, base));
      aim_ = std::make_shared<const Aim>(Aim{std::move(provider), std::move(destinations),
                                             forwarder_.rules_.about(token_.row->connection)});
      aims.keep(token_.connection_id, token_.row, aim_);
    }
    NEXUS_TRY(const auto target, target_to_send());
    NEXUS_TRY(url_, aim_->destinations.resolve(target, request_.target));
    NEXUS_CHECK(check_upgrade());
    return request_.caller.is_application() ? check_rules() : Result<void>();
  }

  Result<void> check_rules() const {
    RouteRules of_key;
    if (const auto& access = request_.caller.access; access && !access->rules.empty())
      of_key = access->rules.about(token_.row->connection);
    if (aim_->rules.empty() && of_key.empty()) return {};
    const auto query = url_.find('?');
    if (overrides_request(request_.headers,
                          query == std::string::npos ? "" : url_.substr(query + 1)))
      return Error{ErrorCode::route_not_allowed,
                   "where there are rules, no header or parameter may name another method or path",
                   "leave it out"};
    const auto path = aim_->destinations.path_of(url_);
    NEXUS_CHECK(aim_->rules.check(request_.method, path, request_.target));
    return of_key.check(request_.method, path, request_.target);
  }

  Result<void> check_upgrade() const {
    const auto& provider = aim_->provider;
    if (!request_.websocket || provider.settings.websocket) return {};
    return Error{ErrorCode::upgrade_not_allowed,
                 "requests to " + provider.name + " do not go on as WebSockets",
                 "allow it: nexus provider edit " + provider.name + " --param websocket=true",
                 token_.connection_id, provider.name};
  }

  Result<std::string> target_to_send() const {
    if (!token_.strategy || token_.strategy->type != "path") return request_.target;
    auto filled = filled_target(request_.target, credentials_);
    return filled ? std::move(filled) : about_connection(filled.error());
  }

  Result<std::string> api_address(const Provider& provider) const {
    if (token_.strategy) return static_api_base(provider, credentials_);
    ConnectionRow connection;
    connection.id = token_.connection_id;
    connection.provider_name = token_.provider;
    connection.token = token_.facts;
    return api_base_of(provider, connection);
  }

  void keep_body(std::size_t most) {
    forwarder_.client_.loop().post([self = shared_from_this(), most] {
      if (self->is_answered_) return;
      self->kept_ = std::make_shared<std::string>();
      self->request_.body.stream->on_data([self, most] { self->keep_more(most); });
      self->keep_more(most);
    });
  }

  void keep_more(std::size_t most) {
    const auto stream = request_.body.stream;
    while (true) {
      const auto taken = stream->take(Pipe::kPiece);
      const bool has_room = kept_bytes_.take(taken.bytes.size());
      if (has_room) kept_->append(taken.bytes);
      if (taken.state == Pipe::State::open && taken.bytes.empty()) return;
      const bool is_too_large = kept_->size() > most;
      if (taken.state == Pipe::State::open && !is_too_large && has_room) continue;
      stream->on_data({});
      if (!has_room) return fail(too_much_is_kept());
      if (is_too_large) return fail(too_large_to_sign());
      if (taken.state == Pipe::State::broken) return fail(body_broke_off());
      request_.body = {.kept = std::move(kept_)};
      return send();
    }
  }

  Result<RequestHead> head() {
    RequestHead head{request_.method, url_, headers_for_server(request_.headers)};
    bool has_agent = false;
    for (const auto& header : head.headers)
      has_agent = has_agent || lower(header.first) == "user-agent";
    if (!has_agent)
      head.headers.emplace_back("User-Agent", Secret("nexus/" + std::string(kVersion)));
    NEXUS_CHECK(add_request_headers(head, aim_->provider, credentials_));
    if (token_.strategy) {
      const Payload payload{request_.body.kept ? std::string_view(*request_.body.kept) : "",
                            leaves_body_unsigned(request_.headers)};
      NEXUS_CHECK(
          authenticate(head, *token_.strategy, credentials_, payload, forwarder_.wall_clock_()));
      note_made(head);
      return head;
    }
    const auto token = token_.access_token.expose();
    if (!is_vschar(token))
      return Error{ErrorCode::provider_protocol,
                   "the access token has characters that no header can carry",
                   "tell whoever runs the provider", token_.connection_id, token_.provider};
    const auto& type = token_.facts.token_type;
    SecretText value(type.empty() ? "Bearer" : type);
    value.append(" ").append(token);
    head.set_header("Authorization", Secret(value));
    return head;
  }

  /// What authenticate() has put there.
  bool is_credential(const std::string& header) const {
    const auto known = lower(header);
    return known == "authorization" || known == "x-amz-security-token" ||
           (token_.strategy && known == lower(token_.strategy->get("header_name")));
  }

  /// What a strategy makes of the credentials is one as well: a password in base64, a signature.
  void note_made(const RequestHead& head) {
    for (const auto& [name, value] : head.headers) {
      if (!is_credential(name)) continue;
      const auto text = value.expose();
      const auto at = text.find_last_of(" =", text.find_last_not_of('='));
      made_.emplace_back(text.substr(at == std::string_view::npos ? 0 : at + 1));
    }
  }

  void send() {
    if (const auto goes_on = check_lease(); !goes_on) return fail(goes_on.error());
    auto ready = head();
    if (!ready) return fail(ready.error());
    if (shown_) {
      if (request_.body.stream) request_.body.stream->abandon();
      if (!shows_secrets_) mask(*ready);
      complete(*ready);
      return shown_(UnsentRequest{token_.connection_id, token_.provider, *std::move(ready)});
    }
    offer_upgrade(*ready);
    forwarder_.client_.send(
        {*std::move(ready), request_.body, aim_->provider.addresses(), request_.reader,
         request_.wanted, request_.websocket, request_.caller.key},
        [self = shared_from_this()](Result<StreamedAnswer> answer) {
          self->answered(std::move(answer));
        });
  }

  /// Of one connection each, so the caller's own have ended here.
  void offer_upgrade(RequestHead& head) const {
    if (!request_.websocket) return;
    head.set_header("Connection", Secret("Upgrade"));
    head.set_header("Upgrade", Secret("websocket"));
  }

  /// With what is added where it is sent: whom it is for, and how its body ends.
  void complete(RequestHead& head) const {
    offer_upgrade(head);
    if (const auto url = parse_url(head.url, "the URL of a request"))
      head.headers.emplace(head.headers.begin(), "Host", Secret(url->authority()));
    const auto& body = request_.body;
    const auto length = body.kept ? std::optional<std::uint64_t>(body.kept->size()) : body.length;
    if (length) head.headers.emplace_back("Content-Length", Secret(std::to_string(*length)));
    if (body.stream && !length) head.headers.emplace_back("Transfer-Encoding", Secret("chunked"));
  }

  /// What the caller has not sent itself may be a credential, or made with one.
  void mask(RequestHead& head) const {
    const auto own = headers_for_server(request_.headers);
    for (auto& [name, value] : head.headers) {
      const auto known = lower(name);
      const bool is_own = std::any_of(own.begin(), own.end(), [&](const auto& header) {
        return lower(header.first) == known && header.second.expose() == value.expose();
      });
      const bool is_plain =
          known == "user-agent" || known == "x-amz-date" || known == "x-amz-content-sha256";
      if (!is_own && !is_plain) value = Secret("***");
    }
    masked().mask(head.url);
  }

  Masked masked() const {
    std::vector<std::string_view> all{token_.access_token.expose()};
    for (const auto& [name, value] : credentials_) all.push_back(value.expose());
    for (const auto& made : made_) all.push_back(made.expose());
    return Masked(all);
  }

  void answered(Result<StreamedAnswer> answer) {
    if (!answer) return fail(about_connection(answer.error()));
    const bool can_repeat = RequestHead{request_.method}.is_idempotent() && !request_.body.stream;
    if (answer->status != 401 || is_repeated_ || token_.strategy || !can_repeat)
      return pass_on(*std::move(answer));
    is_repeated_ = true;
    // Somebody else may have had it refreshed since it was taken for this request.
    forwarder_.tokens_.replace_refused(
        request_.connection_id, hex(sha256(token_.access_token.expose())), request_.caller,
        [self = shared_from_this(), answer = std::make_shared<StreamedAnswer>(*std::move(answer))](
            Result<FetchedToken> fresh) {
          self->repeat_with(std::move(fresh), std::move(*answer));
        },
        Right::forward);
  }

  /// With a new token; where there is none, the server's own words are the answer, unless a person
  /// has to act.
  void repeat_with(Result<FetchedToken> token, StreamedAnswer refused) {
    if (!token && token.error().code != ErrorCode::attention_required)
      return pass_on(std::move(refused));
    if (refused.body) refused.body->abandon();
    if (!token) return fail(token.error());
    token_ = *std::move(token);
    if (const auto aimed = aim(); !aimed) return fail(aimed.error());  // it may belong elsewhere
    send();
  }

  void pass_on(StreamedAnswer answer) {
    const auto hidden = masked();
    answer.headers = headers_for_caller(answer.headers, hidden);
    auto url = url_.substr(0, url_.find('?'));
    hidden.mask(url);  // a path may hold a credential, too
    const bool is_dated = token_.strategy && token_.strategy->type == "aws_sigv4";
    const auto skew = is_dated ? skew_behind(answer, forwarder_.wall_clock_()) : std::nullopt;
    if (is_answered_.exchange(true)) return;
    if (answer.body) hold_lease_for(answer);
    done_(
        Forwarded{token_.connection_id, token_.provider, std::move(url), std::move(answer), skew});
  }

  /// The answer goes on under it for as long as either end has it.
  void hold_lease_for(const StreamedAnswer& answer) {
    answer.body->keep(lease_);
    lease_->on_end([body = std::weak_ptr(answer.body),
                    to_server = std::weak_ptr(answer.to_server)](const Error&) {
      if (const auto pipe = body.lock()) pipe->cut();
      if (const auto pipe = to_server.lock()) pipe->cut();
    });
  }

  Error about_connection(Error error) const {
    error.connection_id = token_.connection_id;
    error.provider = token_.provider;
    return error;
  }

  void fail(Error error) {
    if (request_.body.stream) request_.body.stream->abandon();
    const auto hidden = masked();
    hidden.mask(error.message);
    hidden.mask(error.hint);
    if (shown_) return shown_(error);
    if (!is_answered_.exchange(true)) done_(error);
  }

  Forwarder& forwarder_;
  ForwardedRequest request_;
  Done done_;
  Shown shown_;  ///< where it is not to be sent
  bool shows_secrets_ = false;
  FetchedToken token_;
  std::shared_ptr<const Aim> aim_;
  Credentials credentials_;
  std::vector<Secret> made_;  ///< of the credentials
  std::string url_;
  KeptBytes kept_bytes_;
  std::shared_ptr<std::string> kept_;
  bool is_repeated_ = false;
  std::shared_ptr<Lease> lease_;          ///< nothing for what is only shown
  std::atomic<bool> is_answered_{false};  ///< or refused: whoever is first, of several threads
};

Forwarder::Forwarder(Tokens& tokens, Providers& providers, ConnectionPermits& permits,
                     StreamingClient& client, RouteRules rules, Clock wall_clock)
    : tokens_(tokens),
      providers_(providers),
      permits_(permits),
      client_(client),
      rules_(std::move(rules)),
      wall_clock_(std::move(wall_clock)) {}

void Forwarder::forward(ForwardedRequest request, Done done) {
  std::make_shared<Forwarding>(*this, std::move(request), std::move(done))->begin();
}

void Forwarder::show(ForwardedRequest request, bool with_secrets, Shown shown) {
  std::make_shared<Forwarding>(*this, std::move(request), with_secrets, std::move(shown))->begin();
}

}  // namespace nexus
