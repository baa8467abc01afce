#include "cli/commands/api_call.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

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
    if (lower(name) == "upgrade")
      return usage("nexus api speaks HTTP alone, and could not go on after an upgrade",
                   "have a WebSocket client ask the gateway (nexus-api(7), FORWARDING)");
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

}  // namespace

Result<Call> read_call(const ApiArgs& args) {
  Call call;
  const auto& words = args.words;
  if (words.size() == 2 && !is_method(words.front()) && is_method(words.back()))
    return usage("the method stands in front of the path", "run: nexus api " + args.connection +
                                                               " " + words.back() + " " +
                                                               printable(words.front(), 200));
  if (words.size() > 2 || (words.size() == 2 && !is_method(words.front())))
    return usage("a path or URL is needed, with a method in front of it where it is not GET",
                 "for example: nexus api github GET /user");
  if (words.size() == 1 && is_method(words.front()))
    return usage("a path or URL is needed behind " + words.front(),
                 "for example: nexus api " + args.connection + " " + words.front() +
                     " /user; for a path of that name: /" + words.front());
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
  if (args.dry_run && !args.jq.empty())
    return usage("--jq is for answers, and --dry-run has none", "leave one of them out");
  return call;
}

}  // namespace nexus::cli
