// nexus api: a request to the API of a connection, made by nexusd with its credentials.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "cli/command.h"
#include "cli/daemon_stream.h"
#include "common/api/error.h"
#include "common/api/shown_request.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

struct ApiArgs {
  std::string connection;
  std::vector<std::string> words;
  std::vector<std::string> headers;
  std::string data;
  std::vector<std::string> typed_fields;
  std::vector<std::string> text_fields;
  std::string input;
  std::string output;
  bool include = false;
  bool paginate = false;
  bool slurp = false;
  bool dry_run = false;
  bool verbose = false;
  bool show_secrets = false;
};

using Lines = std::vector<std::pair<std::string, std::string>>;

/// A request as the command line means it.
struct Call {
  std::string connection;
  std::string method;
  std::string target;
  Lines headers;
  StreamBody body;
};

Error usage(const std::string& what, const std::string& hint) {
  return {ErrorCode::usage, what, hint};
}

bool is_method(const std::string& word) {
  return !word.empty() && std::all_of(word.begin(), word.end(),
                                      [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
}

bool has_header(const Lines& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return lower(header.first) == name; });
}

bool looks_like_json(std::string_view text) {
  const auto start = trim(text);
  return start.starts_with('{') || start.starts_with('[');
}

Result<std::pair<std::string, std::string>> field_in(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return usage("'" + printable(text, 80) + "' is no field", "give it as NAME=VALUE");
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

/// true, false, null and numbers are what they say; everything else is a text.
bool is_json_word(const std::string& value) {
  if (value == "true" || value == "false" || value == "null") return true;
  const auto digits = value.starts_with('-') ? value.substr(1) : value;
  return parse_number(digits).has_value() && (digits == "0" || !digits.starts_with('0'));
}

struct Fields {
  std::string json;  ///< as one object
  Lines pairs;       ///< as parameters of a query
  bool is_empty() const { return pairs.empty(); }
};

Result<Fields> fields_of(const ApiArgs& args) {
  Fields fields;
  JsonWriter json;
  json.begin();
  for (const auto& text : args.text_fields) {
    NEXUS_TRY(const auto field, field_in(text));
    json.member(field.first, field.second);
    fields.pairs.push_back(field);
  }
  for (const auto& text : args.typed_fields) {
    NEXUS_TRY(const auto field, field_in(text));
    if (is_json_word(field.second))
      json.member_json(field.first, field.second);
    else
      json.member(field.first, field.second);
    fields.pairs.push_back(field);
  }
  fields.json = json.end().take();
  return fields;
}

Result<void> read_headers(const ApiArgs& args, Call& call) {
  for (const auto& text : args.headers) {
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    const auto value = colon == std::string::npos ? "" : std::string(trim(text.substr(colon + 1)));
    const bool is_bad = name.empty() || name.find_first_of(" \t") != std::string::npos ||
                        printable(text, text.size()) != text;
    if (colon == std::string::npos || is_bad)
      return usage("'" + printable(text, 80) + "' is no header", "give it as 'Name: value'");
    call.headers.emplace_back(name, value);
  }
  return {};
}

Result<void> open_input(const std::string& name, Call& call) {
  if (name == "-") {
    call.body.descriptor = STDIN_FILENO;
    return {};
  }
  const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about {};
  if (fd < 0 || fstat(fd, &about) != 0 || S_ISDIR(about.st_mode))
    return usage("cannot read " + printable(name, 200), "name a readable file, or - for stdin");
  call.body.descriptor = fd;
  if (S_ISREG(about.st_mode)) call.body.length = static_cast<std::uint64_t>(about.st_size);
  return {};
}

Result<void> read_body(const ApiArgs& args, Call& call) {
  NEXUS_TRY(const auto fields, fields_of(args));
  const int given = !args.data.empty() + !args.input.empty() + !fields.is_empty();
  if (given > 1)
    return usage("the body is given in two ways", "give one of --data, --input and fields");
  if (!args.input.empty()) NEXUS_CHECK(open_input(args.input, call));
  call.body.text = args.data;
  if (!fields.is_empty() && (call.method.empty() || call.method == "POST" || call.method == "PUT" ||
                             call.method == "PATCH"))
    call.body.text = fields.json;
  if (call.method.empty()) call.method = call.body.is_there() ? "POST" : "GET";
  if (!fields.is_empty() && !call.body.is_there())
    for (const auto& [name, value] : fields.pairs)
      call.target += (call.target.find('?') == std::string::npos ? "?" : "&") +
                     percent_encode(name) + "=" + percent_encode(value);
  if (!call.body.is_there() || has_header(call.headers, "content-type")) return {};
  const bool is_json =
      args.input.empty() ? looks_like_json(call.body.text) : args.input.ends_with(".json");
  call.headers.emplace_back("Content-Type", is_json ? "application/json"
                                            : args.input.empty()
                                                ? "application/x-www-form-urlencoded"
                                                : "application/octet-stream");
  return {};
}

Result<Call> read_call(const ApiArgs& args) {
  Call call;
  const auto& words = args.words;
  if (words.size() > 2 || (words.size() == 2 && !is_method(words.front())))
    return usage("a path or URL is needed, with a method in front of it where it is not GET",
                 "for example: nexus api github GET /user");
  call.connection = args.connection;
  call.target = words.back();
  if (words.size() == 2) call.method = words.front();
  if (call.target.empty() || printable(call.target, call.target.size()) != call.target)
    return usage("the path has characters that none has", "encode them, as %20");
  NEXUS_CHECK(read_headers(args, call));
  NEXUS_CHECK(read_body(args, call));
  if (args.paginate && (call.method != "GET" || call.body.is_there()))
    return usage("--paginate is for GET", "leave it out, or the body");
  if (args.slurp && !args.paginate) return usage("--slurp is for --paginate", "give both");
  if (!has_header(call.headers, "accept")) call.headers.emplace_back("Accept", "*/*");
  return call;
}

/// `<https://…>; rel="next"` (RFC 8288), "" where there is none.
std::string next_page(const StreamHead& head) {
  for (const auto& link : split(head.header("link"), ',')) {
    const auto open = link.find('<');
    const auto close = link.find('>');
    if (open == std::string::npos || close == std::string::npos || close < open) continue;
    const auto rest = link.substr(close);
    if (rest.find("rel=\"next\"") != std::string::npos ||
        rest.find("rel=next") != std::string::npos)
      return link.substr(open + 1, close - open - 1);
  }
  return {};
}

/// A server is no friend of a terminal: what would move its cursor is not shown.
std::string for_terminal(std::string_view piece) {
  std::string shown(piece);
  for (auto& c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) c = '?';
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
    return usage("cannot write " + printable(file_, 200), "name a file that can be written");
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
