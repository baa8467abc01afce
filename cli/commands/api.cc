// nexus api: a request to the API of a connection, made by nexusd with its credentials.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "cli/command.h"
#include "cli/commands/api_call.h"
#include "cli/daemon_stream.h"
#include "common/api/error.h"
#include "common/api/shown_request.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

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

/// A server is no friend of a terminal: what would move its cursor is not shown, the controls of
/// eight bits (U+0080 to U+009F) among it.
std::string for_terminal(std::string_view piece) {
  std::string shown(piece);
  unsigned char before = 0;
  for (auto& c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_c1 = before == 0xc2 && byte >= 0x80 && byte < 0xa0;
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f || is_c1) c = '?';
    before = byte;
  }
  return shown;
}

/// Where the answer's body goes.
class Sink {
 public:
  Sink(const Output& output, const std::string& file) : output_(output), file_(file) {}
  ~Sink() {
    if (fd_ >= 0) close(fd_);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  Result<void> open() {
    if (file_.empty() || file_ == "-") return {};
    fd_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ >= 0) return {};
    return Error{ErrorCode::usage, "cannot write " + printable(file_, 200),
                 "name a file that can be written"};
  }
  Result<void> write(std::string_view piece, bool is_json) const {
    if (fd_ < 0) {
      const bool to_terminal = output_.stdout_is_terminal() && file_.empty();
      if (to_terminal && is_json)
        output_.json_part(for_terminal(piece));
      else
        output_.raw(to_terminal ? for_terminal(piece) : std::string(piece));
      return output_.written();
    }
    while (!piece.empty()) {
      const auto written = ::write(fd_, piece.data(), piece.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0)
        return Error{ErrorCode::failure, printable(file_, 200) + " cannot be written",
                     "free some disk space"};
      piece.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

 private:
  const Output& output_;
  const std::string& file_;
  int fd_ = -1;
};

StreamRequest request_for(const Context& context, const Call& call) {
  StreamRequest request{call.method, "/v1/proxy/" + percent_encode(call.connection), call.headers,
                        call.body};
  request.headers.emplace_back("X-Nexus-Target", call.target);
  request.headers.emplace_back("X-Nexus-Workspace", context.config.workspace);
  return request;
}

/// An error of nexusd's own, told from an answer of the API by its header.
class Errors {
 public:
  bool begin(const StreamHead& head) { return is_one_ = !head.header("x-nexus-error").empty(); }
  bool keep(std::string_view piece) {
    if (is_one_) text_ += piece;
    return is_one_;
  }
  Result<void> told() const {
    if (!is_one_) return {};
    if (auto error = api::error_in(text_)) return *std::move(error);
    return Error{ErrorCode::failure, "the daemon answered with an error",
                 "see: nexus daemon status"};
  }

 private:
  bool is_one_ = false;
  std::string text_;
};

int exit_code_for(int status) {
  if (status < 400) return 0;
  return info(status >= 500 || status == 429 ? ErrorCode::upstream_error : ErrorCode::failure)
      .exit_code;
}

Result<int> show(const Context& context, const ApiArgs& args, const Call& call) {
  auto request = request_for(context, call);
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
  NEXUS_CHECK(errors.told());
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

Result<int> send(const Context& context, const ApiArgs& args, Call call) {
  Sink sink(context.output, args.output);
  NEXUS_CHECK(sink.open());
  int status = 0;
  bool is_json = false;
  if (args.slurp) NEXUS_CHECK(sink.write("[", true));
  for (bool is_first = true; !call.target.empty(); is_first = false) {
    Errors errors;
    std::string next;
    const auto on_head = [&](const StreamHead& head) -> Result<void> {
      if (errors.begin(head)) return {};
      status = head.status;
      is_json = head.header("content-type").find("json") != std::string::npos;
      next = args.paginate && status < 300 ? next_page(head) : "";
      if (args.verbose) context.output.note("< " + printable(head.line, 200));
      if (args.include) {
        context.output.line(head.line);
        for (const auto& [name, value] : head.headers) context.output.line(name + ": " + value);
        context.output.line("");
      }
      return args.slurp && !is_first ? sink.write(",", true) : Result<void>();
    };
    const auto on_piece = [&](std::string_view piece) -> Result<void> {
      return errors.keep(piece) ? Result<void>() : sink.write(piece, is_json);
    };
    NEXUS_CHECK(stream_request(context.config, request_for(context, call), {on_head, on_piece}));
    NEXUS_CHECK(errors.told());
    call.target = next;
  }
  if (args.slurp) NEXUS_CHECK(sink.write("]", true));
  if (context.output.stdout_is_terminal() && args.output.empty()) context.output.raw("\n");
  if (status >= 400) context.output.note("nexus: the API answered " + std::to_string(status));
  return exit_code_for(status);
}

Result<int> run_api(Context& context, const ApiArgs& args) {
  NEXUS_TRY(auto call, read_call(args));
  // Starts the daemon where that is wanted.
  NEXUS_CHECK(context.client.call_raw("GET", "/health", ""));
  return args.dry_run ? show(context, args, call) : send(context, args, std::move(call));
}

}  // namespace

Command api_command() {
  auto args = std::make_shared<ApiArgs>();
  return {
      .name = "api",
      .summary = "Send a request to a connection's API, with its credentials",
      .arguments =
          {{"connection", &args->connection, "conn_… id, alias or provider", {.required = true}},
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
           {"--input", &args->input, "send this file, or stdin, as the body", {.value = "FILE|-"}},
           {"-i,--include", &args->include, "print the answer's status and headers, too"},
           {"-o,--output",
            &args->output,
            "write the answer's body to this file",
            {.value = "FILE"}},
           {"--paginate", &args->paginate, "go on to the next page as the Link header says"},
           {"--slurp", &args->slurp, "make one JSON list of all pages"},
           {"--dry-run", &args->dry_run, "print what would be sent, and do not send it"},
           {"--show-secrets", &args->show_secrets, "with --dry-run: do not mask the credentials"},
           {"-v,--verbose", &args->verbose, "print the answer's status line on stderr"}},
      .action = [args](Context& context) { return run_api(context, *args); },
      .footer =
          "The credentials go to the hosts of the connection's provider alone. Redirects are\n"
          "answers like any other. Exit status: 0 below 400, 1 for 4xx, 10 for 429 and 5xx.",
      .examples = {"nexus api github /user", "nexus api github POST /user/repos -f name=demo",
                   "nexus api github '/issues?per_page=100' --paginate --slurp",
                   "nexus api aws '/?Action=GetCallerIdentity&Version=2011-06-15' --dry-run"}};
}

}  // namespace nexus::cli
