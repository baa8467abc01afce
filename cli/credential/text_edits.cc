#include "cli/credential/text_edits.h"

#include <algorithm>

#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
/// Beside what was not there before, so that it goes again when nothing else is in it.
constexpr std::string_view kMark = "# written by nexus credential setup";

std::string spliced(std::string_view text, std::size_t from, std::size_t to,
                    std::string_view instead) {
  return std::string(text.substr(0, from)).append(instead).append(text.substr(to));
}

std::size_t skip_blank(std::string_view json, std::size_t at) {
  return std::min(json.find_first_not_of(kBlank, at), json.size());
}

/// Past the value that begins there, in a document that is well-formed.
std::size_t past_value(std::string_view json, std::size_t at) {
  int depth = 0;
  for (bool in_text = false; at < json.size(); ++at) {
    const char c = json[at];
    if (in_text && c == '\\') {
      ++at;
    } else if (c == '"') {
      in_text = !in_text;
      if (!in_text && depth == 0) return at + 1;
    } else if (!in_text && (c == '{' || c == '[')) {
      ++depth;
    } else if (!in_text && (c == '}' || c == ']')) {
      if (depth == 0) return at;  // a bare word ended before
      if (--depth == 0) return at + 1;
    } else if (!in_text && depth == 0 && (c == ',' || kBlank.find(c) != std::string_view::npos)) {
      return at;
    }
  }
  return at;
}

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};
struct Member {
  std::size_t name = 0;  ///< where its name begins
  Span value;
};

/// A member of the object that begins there; nothing where it has none of that name.
std::optional<Member> member_of(std::string_view json, std::size_t object,
                                const std::string& name) {
  auto at = skip_blank(json, object + 1);
  while (at < json.size() && json[at] == '"') {
    Member member;
    member.name = at;
    const auto name_end = past_value(json, at);
    const auto own = json.substr(at + 1, name_end - at - 2);
    member.value.begin = skip_blank(json, skip_blank(json, name_end) + 1);
    member.value.end = past_value(json, member.value.begin);
    if (own == name) return member;
    at = skip_blank(json, member.value.end);
    if (at < json.size() && json[at] == ',') at = skip_blank(json, at + 1);
  }
  return std::nullopt;
}

/// What `inserted` put in, or somebody else: with the one comma that is too many then.
std::string without_member(std::string_view json, const Member& member) {
  const auto before = json.find_last_not_of(kBlank, member.name - 1);
  const auto after = skip_blank(json, member.value.end);
  if (json[before] == ',') return spliced(json, before, member.value.end, "");
  return spliced(json, before + 1, json[after] == ',' ? after + 1 : member.value.end, "");
}

/// First in the object that begins there.
std::string inserted(std::string_view json, std::size_t object, const std::string& member) {
  const bool is_empty = json[skip_blank(json, object + 1)] == '}';
  return spliced(json, object + 1, object + 1, member + (is_empty ? "" : ","));
}

Error not_ours(const std::string& what, const std::string& hint) {
  return {ErrorCode::usage, what, hint};
}

Result<void> check_json(std::string_view json) {
  if (is_json_object(json)) return {};
  return not_ours("docker's config.json is not well-formed", "correct it, then try again");
}

/// The lines of a section of an INI or TOML file, its heading among them.
Span section(std::string_view text, std::string_view heading) {
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    const auto own = trim(line.substr(0, line.find('#')));
    if (own == heading) {
      auto past = text.find("\n[", end);
      past = past == std::string_view::npos ? text.size() : past + 1;
      return {at, past};
    }
    at = end + 1;
  }
  return {text.size(), text.size()};
}

/// A line of the section that begins so; [end, end) where there is none.
Span line_in(std::string_view text, Span within, std::string_view beginning) {
  for (auto at = within.begin; at < within.end;) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (text.substr(at, end - at).starts_with(beginning))
      return {at, std::min(end + 1, text.size())};
    at = end + 1;
  }
  return {within.end, within.end};
}

/// At the end, after an empty line; without one where the last line had no end.
std::string with_block(std::string_view text, const std::string& block) {
  std::string out(text);
  if (!out.empty()) out += '\n';
  return out.append(kMark).append("\n" + block);
}

std::string without_block(std::string_view text, std::size_t at, std::size_t past) {
  return spliced(text, at > 0 && text[at - 1] == '\n' ? at - 1 : at, past, "");
}

/// Whether nothing more of a section comes from there on, but for comments.
bool is_end_of_section(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] != '[') {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = trim(text.substr(at, end - at));
    if (!line.empty() && line[0] != '#' && line[0] != ';') return false;
    at = end + 1;
  }
  return true;
}

/// After the heading, where there is one; else a section of our own at the end.
std::string with_line(std::string_view text, const std::string& heading, const std::string& line) {
  const auto found = section(text, heading);
  if (found.begin == found.end) return with_block(text, heading + "\n" + line + "\n");
  const auto end = text.find('\n', found.begin);
  if (end == std::string_view::npos) return std::string(text) + "\n" + line;
  return spliced(text, end + 1, end + 1, line + "\n");
}

std::string without_line(std::string_view text, const std::string& heading, Span line) {
  // A last line without an end: so was the heading before it.
  const bool ended = line.end > line.begin && text[line.end - 1] == '\n';
  auto out = spliced(text, ended ? line.begin : line.begin - 1, line.end, "");
  const auto ours = std::string(kMark) + "\n" + heading + "\n";
  const auto at = out.find(ours);
  const auto past = at == std::string::npos ? at : at + ours.size();
  const bool alone = at != std::string::npos && is_end_of_section(out, past);
  return alone ? without_block(out, at, past) : out;
}

/// Up to the helper's name.
std::string git_block(const std::string& url) {
  return "[credential \"" + url + "\"]\n\thelper =\n\thelper = ";
}

std::string profile_heading(const std::string& profile) {
  return profile == "default" ? "[default]" : "[profile " + profile + "]";
}

}  // namespace

std::string with_git_helper(std::string_view config, const std::string& url,
                            const std::string& helper) {
  return with_block(without_git_helper(config, url), git_block(url) + helper + "\n");
}

std::string without_git_helper(std::string_view config, const std::string& url) {
  const auto block = std::string(kMark) + "\n" + git_block(url);
  const auto at = config.find(block);
  if (at == std::string_view::npos) return std::string(config);
  const auto past = std::min(config.find('\n', at + block.size()), config.size() - 1) + 1;
  if (is_end_of_section(config, past)) return without_block(config, at, past);
  // Somebody has added to our section.
  return spliced(config, config.find('\n', at + kMark.size() + 1) + 1, past, "");
}

Result<std::string> with_docker_helper(std::string_view json, const std::string& host) {
  const auto entry = "\n\t\t\"" + host + "\": \"nexus\"";
  const auto whole = "\n\t\"credHelpers\": {" + entry + "\n\t}";
  if (trim(json).empty()) return "{" + whole + "\n}\n";
  NEXUS_CHECK(check_json(json));
  const auto top = json.find('{');
  const auto helpers = member_of(json, top, "credHelpers");
  if (!helpers) return inserted(json, top, whole);
  if (json[helpers->value.begin] != '{')
    return not_ours("credHelpers in docker's config.json is no object",
                    "correct it, then try again");
  const auto present = member_of(json, helpers->value.begin, host);
  if (!present) return inserted(json, helpers->value.begin, entry);
  const auto value = json.substr(present->value.begin, present->value.end - present->value.begin);
  if (value == "\"nexus\"") return std::string(json);
  return not_ours("docker has another helper for " + host + ": " + printable(value, 60),
                  "take it out of config.json first");
}

Result<std::string> without_docker_helper(std::string_view json, const std::string& host) {
  if (trim(json).empty()) return std::string(json);
  NEXUS_CHECK(check_json(json));
  const auto top = json.find('{');
  const auto helpers = member_of(json, top, "credHelpers");
  const auto present = helpers && json[helpers->value.begin] == '{'
                           ? member_of(json, helpers->value.begin, host)
                           : std::nullopt;
  if (!present ||
      json.substr(present->value.begin, present->value.end - present->value.begin) != "\"nexus\"")
    return std::string(json);
  auto out = without_member(json, *present);
  // The empty one is ours.
  if (const auto left = member_of(out, top, "credHelpers");
      left && std::string_view(out).substr(left->value.begin, 4) == "{\n\t}")
    out = without_member(out, *left);
  return out == "{\n}\n" ? std::string() : out;
}

Result<std::string> with_aws_process(std::string_view ini, const std::string& profile,
                                     const std::string& command) {
  const auto heading = profile_heading(profile);
  const auto line = "credential_process = " + command;
  const auto found = section(ini, heading);
  const auto present = line_in(ini, found, "credential_process");
  if (present.begin == present.end) return with_line(ini, heading, line);
  if (trim(ini.substr(present.begin, present.end - present.begin)) == line) return std::string(ini);
  return not_ours("profile " + profile + " has another credential_process",
                  "take it out of the file first, or name another profile");
}

Result<std::string> without_aws_process(std::string_view ini, const std::string& profile) {
  const auto heading = profile_heading(profile);
  const auto line = line_in(ini, section(ini, heading), "credential_process = ");
  const auto text = ini.substr(line.begin, line.end - line.begin);
  if (text.find(" credential aws ") == std::string_view::npos) return std::string(ini);
  return without_line(ini, heading, line);
}

std::string with_mapping(std::string_view toml, const std::string& site,
                         const std::string& connection) {
  return with_line(toml, "[credential]", "\"" + site + "\" = \"" + connection + "\"");
}

std::string without_mapping(std::string_view toml, const std::string& site) {
  const auto line = line_in(toml, section(toml, "[credential]"), "\"" + site + "\" = \"");
  return line.begin == line.end ? std::string(toml) : without_line(toml, "[credential]", line);
}

}  // namespace nexus::cli
