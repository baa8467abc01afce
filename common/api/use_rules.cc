#include "common/api/use_rules.h"

#include <algorithm>

#include "common/text.h"
#include "common/text_fault.h"

namespace nexus::api {
namespace {

constexpr std::string_view kHash = "@sha256:";
constexpr std::int64_t kMostMinutes = 24 * 60;
constexpr std::int64_t kMostUid = 4'294'967'294;

Error bad_field(const char* field, const std::string& what, const std::string& hint) {
  Error error{ErrorCode::invalid_field, what, hint};
  error.field = field;
  return error;
}

Result<std::int64_t> uid_in(const std::string& text) {
  const auto uid = parse_number(text);
  if (uid && *uid <= kMostUid) return *uid;
  return bad_field("uids", "'" + printable(text, 40) + "' is no user's number",
                   "give the number that id -u NAME tells");
}

std::vector<std::string> texts_of(const UseRules& rules) {
  std::vector<std::string> texts;
  for (const auto& program : rules.programs) texts.push_back(program.text());
  return texts;
}

std::vector<std::string> uid_texts(const UseRules& rules) {
  std::vector<std::string> texts;
  for (const auto uid : rules.uids) texts.push_back(std::to_string(uid));
  return texts;
}

Result<void> check_confirmation(const UseRules& rules) {
  const auto& minutes = rules.confirm_minutes;
  if (!minutes || (*minutes >= 0 && *minutes <= kMostMinutes)) return {};
  return bad_field("confirm_minutes", "a yes counts for a day at the most",
                   "give 1 to 1440 minutes, or 0 for each use");
}

}  // namespace

Result<UseRules::Program> UseRules::Program::parse(std::string_view text) {
  Program program;
  const auto at = text.rfind(kHash);
  program.path = text.substr(0, at);
  if (at != std::string_view::npos) program.sha256 = lower(text.substr(at + kHash.size()));
  if (!program.path.starts_with('/') || program.path.size() > 4095 ||
      !fault_of_text(program.path).empty())
    return bad_field("programs", "'" + printable(text, 200) + "' is no program's absolute path",
                     "give it as /PATH or /PATH@sha256:HEX; command -v NAME tells the path");
  const bool is_hash = program.sha256.size() == 64 &&
                       program.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (at != std::string_view::npos && !is_hash)
    return bad_field("programs", "what follows @sha256: is not 64 hexadecimal digits",
                     "sha256sum " + shell_quote(program.path) + " tells them");
  return program;
}

std::string UseRules::Program::text() const {
  return sha256.empty() ? path : path + std::string(kHash) + sha256;
}

Result<UseRules> read_use_rules(const JsonFields& from) {
  UseRules rules;
  bool everybody = false;
  std::vector<std::string> programs;
  std::vector<std::string> uids;
  NEXUS_CHECK(from.only({"everybody", "programs", "uids", "groups", "confirm_minutes"}));
  NEXUS_CHECK(from.flag("everybody", everybody));
  NEXUS_CHECK(from.texts("programs", programs));
  NEXUS_CHECK(from.texts("uids", uids));
  NEXUS_CHECK(from.texts("groups", rules.groups));
  NEXUS_CHECK(from.number("confirm_minutes", rules.confirm_minutes));
  for (const auto& text : programs) {
    NEXUS_TRY(auto program, UseRules::Program::parse(text));
    rules.programs.push_back(std::move(program));
  }
  for (const auto& text : uids) {
    NEXUS_TRY(const auto uid, uid_in(text));
    rules.uids.push_back(uid);
  }
  for (const auto& group : rules.groups)
    if (group.empty() || !fault_of_text(group).empty())
      return bad_field("groups", "'" + printable(group, 40) + "' is no group", "give its name");
  NEXUS_CHECK(check_confirmation(rules));
  if (everybody && rules.bind_anybody())
    return bad_field("everybody", "everybody stands alone", "leave it out, or all else");
  if (!everybody && !rules.bind_anybody())
    return Error{ErrorCode::missing_fields, "it is not said who may use the connection",
                 "name programs, users or groups, have uses confirmed, or say everybody"};
  return rules;
}

Result<UseRules> use_rules_in(std::string_view json) {
  NEXUS_TRY(const auto fields, JsonFields::parse(json));
  return read_use_rules(fields);
}

Result<void> read(const Reader& from, UseRules& into) {
  for (const auto& text : from.texts("programs")) {
    NEXUS_TRY(auto program, UseRules::Program::parse(text));
    into.programs.push_back(std::move(program));
  }
  for (const auto& text : from.texts("uids")) {
    NEXUS_TRY(const auto uid, uid_in(text));
    into.uids.push_back(uid);
  }
  into.groups = from.texts("groups");
  into.confirm_minutes = from.number("confirm_minutes");
  return {};
}

void write(JsonWriter& to, const UseRules& rules) {
  to.member("programs", texts_of(rules))
      .member("uids", uid_texts(rules))
      .member("groups", rules.groups)
      .member_or_null("confirm_minutes", rules.confirm_minutes);
}

std::string confirmation_text(std::int64_t minutes) {
  if (minutes == 0) return "every use";
  return "once in " + std::to_string(minutes) + (minutes == 1 ? " minute" : " minutes");
}

std::string in_words(const UseRules& rules) {
  std::vector<std::string> parts;
  if (!rules.programs.empty()) parts.push_back("programs: " + join(texts_of(rules), " "));
  if (!rules.uids.empty()) parts.push_back("users: " + join(uid_texts(rules), " "));
  if (!rules.groups.empty()) parts.push_back("groups: " + join(rules.groups, " "));
  if (rules.confirm_minutes)
    parts.push_back("confirmed: " + confirmation_text(*rules.confirm_minutes));
  return join(parts, "; ");
}

}  // namespace nexus::api
