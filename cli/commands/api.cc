// nexus api: a request to the API of a connection, made by nexusd with its credentials.
#include <unistd.h>

#include <memory>

#include "cli/command.h"
#include "cli/commands/api_call.h"
#include "cli/commands/api_pages.h"
#include "cli/confirmation.h"
#include "cli/daemon_stream.h"
#include "cli/remote.h"
#include "common/api/error.h"
#include "common/api/shown_request.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr const char* kMethodHint =
    "the method stands in front of the path: nexus api github POST /user/repos";

/// Where a relative link leads (RFC 3986 5.2, as far as APIs use it): `url` is what was asked.
std::string resolved(const std::string& link, const std::string& url) {
  const auto path = url.find('/', url.find("://") + 3);
  if (link.starts_with('/')) return url.substr(0, path) + link;
  if (link.starts_with('?')) return url + link;
  return link;
}

/// The target of `<https://…>; rel="next"` (RFC 8288), "" where there is none. Commas stand between
/// links, but in their URLs as well.
std::string next_page(const StreamHead& head) {
  const auto links = head.header("link");
  for (auto open = links.find('<'); open != std::string::npos; open = links.find('<', open + 1)) {
    const auto close = links.find('>', open);
    if (close == std::string::npos) break;
    const auto parameters =
        std::string_view(links).substr(close + 1, links.find('<', close) - close);
    const auto rel = lower(parameters);
    if (rel.find("rel=\"next\"") != std::string::npos || rel.find("rel=next") != std::string::npos)
      return resolved(links.substr(open + 1, close - open - 1), head.header("x-nexus-url"));
    open = close;
  }
  return {};
}

StreamRequest request_for(const Context& context, const Call& call,
                          const std::string& confirmation) {
  StreamRequest request{call.method, "/v1/proxy/" + percent_encode(call.connection), call.headers,
                        call.body};
  request.headers.emplace_back("X-Nexus-Target", call.target);
  request.headers.emplace_back("X-Nexus-Workspace", context.config.workspace);
  if (!confirmation.empty()) request.headers.emplace_back("X-Nexus-Confirmation", confirmation);
  return request;
}

/// Asks the person where that is what an error asks for; then the request is to be made once more,
/// with what is returned. What comes from a pipe cannot be sent again.
Result<std::string> confirmed(const Error& error, const Call& call) {
  if (error.nonce.empty()) return error;
  if (call.body.descriptor >= 0 && lseek(call.body.descriptor, 0, SEEK_SET) != 0)
    return Error{ErrorCode::confirmation_required,
                 "the use has to be confirmed, and a body from a pipe cannot be sent again",
                 "give it as a file: --input FILE"};
  NEXUS_CHECK(confirm_on_terminal(error));
  return error.nonce;
}

/// An error of nexusd's own, told from an answer of the API by its header.
class Errors {
 public:
  bool begin(const StreamHead& head) { return is_one_ = !head.header("x-nexus-error").empty(); }
  bool keep(std::string_view piece) {
    if (is_one_) text_ += piece;
    return is_one_;
  }
  Result<void> told(const Config& config) const {
    if (!is_one_) return {};
    if (auto error = api::error_in(text_))
      return config.url.empty() ? *std::move(error) : of_remote(*std::move(error));
    return Error{ErrorCode::failure, "the daemon answered with an error",
                 "see: nexus daemon status"};
  }

 private:
  bool is_one_ = false;
  std::string text_;
};

int exit_code_of_answer(int status) {
  if (status < 400) return 0;
  return info(status >= 500 || status == 429 ? ErrorCode::upstream_error : ErrorCode::failure)
      .exit_code;
}

Result<int> show(const Context& context, const ApiArgs& args, const Call& call,
                 const std::string& confirmation = {}) {
  auto request = request_for(context, call, confirmation);
  request.headers.emplace_back("X-Nexus-Dry-Run", args.show_secrets ? "show-secrets" : "masked");
  Errors errors;
  std::string text;
  NEXUS_CHECK(stream_request(context.config, request,
                             {[&](const StreamHead& head) -> Result<void> {
                                errors.begin(head);
                                return {};
                              },
                              [&](std::string_view piece) -> Result<void> {
                                if (!errors.keep(piece)) text += piece;
                                return {};
                              }}));
  if (const auto told = errors.told(context.config); !told) {
    if (!confirmation.empty()) return told.error();
    NEXUS_TRY(const auto nonce, confirmed(told.error(), call));
    return show(context, args, call, nonce);
  }
  NEXUS_TRY(const auto shown, api::parse<api::ShownRequest>(text));
  if (context.output.json) {
    context.output.json_line(text);
    return 0;
  }
  const auto path = shown.url.find('/', shown.url.find("://") + 3);
  context.output.line("> " + shown.method + " " +
                      (path == std::string::npos ? "/" : shown.url.substr(path)) + " HTTP/1.1");
  for (const auto& [name, value] : shown.headers) context.output.line("> " + name + ": " + value);
  return 0;
}

Result<int> send(const Context& context, const ApiArgs& args, Call call, ApiPages& pages) {
  int status = 0;
  std::string hint;
  std::string confirmation;
  while (!call.target.empty()) {
    Errors errors;
    std::string next;
    const auto on_head = [&](const StreamHead& head) -> Result<void> {
      if (errors.begin(head)) return {};
      status = head.status;
      hint = head.header("x-nexus-hint");
      next = args.paginate && status < 300 ? next_page(head) : "";
      if (args.verbose) context.output.note("< " + printable(head.line, 200));
      if (args.include) {
        context.output.line(head.line);
        for (const auto& [name, value] : head.headers) context.output.line(name + ": " + value);
        context.output.line("");
      }
      return pages.begin(head);
    };
    const auto on_piece = [&](std::string_view piece) -> Result<void> {
      return errors.keep(piece) ? Result<void>() : pages.write(piece);
    };
    NEXUS_CHECK(stream_request(context.config, request_for(context, call, confirmation),
                               {on_head, on_piece}));
    if (const auto told = errors.told(context.config); !told) {
      if (!confirmation.empty()) return told.error();
      NEXUS_TRY(confirmation, confirmed(told.error(), call));
      continue;
    }
    confirmation.clear();
    NEXUS_CHECK(pages.end_page());
    call.target = next;
  }
  NEXUS_CHECK(pages.end());
  if (status >= 400) context.output.note("nexus: the API answered " + std::to_string(status));
  if (!hint.empty()) context.output.note("  " + hint);
  return exit_code_of_answer(status);
}

/// Starts the daemon where that is wanted, which is none of another machine's.
Result<void> wake_daemon(Context& context) {
  if (context.config.url.empty()) NEXUS_CHECK(context.client.call_raw("GET", "/health", ""));
  return {};
}

Result<int> run_api(Context& context, const ApiArgs& args) {
  NEXUS_TRY(auto call, read_call(args));
  if (args.dry_run) {
    NEXUS_CHECK(wake_daemon(context));
    return show(context, args, call);
  }
  NEXUS_TRY(auto pages, ApiPages::open(context.output, args));
  NEXUS_CHECK(wake_daemon(context));
  return send(context, args, std::move(call), pages);
}

}  // namespace

Command api_command() {
  auto args = std::make_shared<ApiArgs>();
  return {
      .name = "api",
      .summary = "Send a request to a connection's API, with its credentials",
      .arguments = {{"connection",
                     &args->connection,
                     "conn_… id, alias or provider",
                     {.required = true, .names = Names::connection}},
                    {"request",
                     &args->words,
                     "[METHOD] PATH|URL: a path below the API's base URL",
                     {.required = true, .value = "[METHOD] PATH|URL"}},
                    {"-H,--header",
                     &args->headers,
                     "send this header (repeatable)",
                     {.value = "'NAME: VALUE'"}},
                    {"-d,--data", &args->data, "send this body", {.value = "DATA"}},
                    {"-f,--raw-field",
                     &args->text_fields,
                     "a text in a JSON body or, with GET, in the query (repeatable)",
                     {.value = "NAME=VALUE"}},
                    {"-F,--field",
                     &args->typed_fields,
                     "the same; true, false, null and whole numbers are what they say",
                     {.value = "NAME=VALUE"}},
                    {"--input",
                     &args->input,
                     "send this file, or stdin, as the body",
                     {.value = "FILE|-", .names = Names::file}},
                    {"-i,--include", &args->include, "print the answer's status and headers, too"},
                    {"-o,--output",
                     &args->output,
                     "write the answer's body to this file",
                     {.value = "FILE", .names = Names::file}},
                    {"--paginate", &args->paginate,
                     "go on to the next page as the Link header says"},
                    {"--slurp", &args->slurp, "make one JSON list of all pages"},
                    {"-q,--jq",
                     &args->jq,
                     "print what this jq expression makes of each page",
                     {.value = "EXPRESSION"}},
                    {"--dry-run", &args->dry_run, "print what would be sent, and do not send it"},
                    {"--show-secrets", &args->show_secrets,
                     "with --dry-run: do not mask the credentials"},
                    {"-v,--verbose", &args->verbose, "print the answer's status line on stderr"}},
      .action = [args](Context& context) { return run_api(context, *args); },
      .footer =
          "The credentials go to the hosts of the connection's provider alone. Redirects are "
          "answers like any other. Exit status: 0 below 400, 1 for 4xx, 10 for 429 and 5xx.",
      .examples = {"nexus api github /user", "nexus api github POST /user/repos -f name=demo",
                   "nexus api github '/issues?per_page=100' --paginate --jq '.[].title'",
                   "nexus api aws '/?Action=GetCallerIdentity&Version=2011-06-15' --dry-run"},
      .known_as = {{"-X", kMethodHint}, {"--request", kMethodHint}, {"--method", kMethodHint}}};
}

}  // namespace nexus::cli
