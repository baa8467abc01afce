#include "daemon/access/route_rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "common/text.h"
#include "common/text_fault.h"

namespace nexus {
namespace {

/// * is anything but a slash, ** anything.
std::string expression_of(std::string_view pattern) {
  std::string expression;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const auto rest = pattern.substr(at);
    if (rest.starts_with("**")) {
      expression += ".*";
      ++at;
    } else {
      expression += rest[0] == '*' ? "[^/]*" : RE2::QuoteMeta(std::string(1, rest[0]));
    }
  }
  return expression;
}

RE2::Options options() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);  // bytes
  options.set_dot_nl(true);
  options.set_log_errors(false);
  return options;
}

/// A segment that a server may take for the directory itself or the one above: blanks at its ends
/// are cut off by some.
bool is_dots(const std::string& segment) {
  return segment.find('.') != std::string::npos &&
         segment.find_first_not_of(". ") == std::string::npos;
}

/// The path with everything decoded, which is what a rule is written about; nothing for one that a
/// server behind it may read as another: a slash or backslash that is encoded, one that is doubled,
/// parameters of a segment, something that is encoded twice, dots, control characters, and bytes
/// that are no UTF-8 (overlong forms among them).
std::optional<std::string> plain_path(std::string_view path) {
  const auto known = lower(path);
  for (const char* odd : {"%2f", "%5c", "\\", ";", "%3b", "%25"})
    if (known.find(odd) != std::string::npos) return std::nullopt;
  const auto behind_scheme = known.find("://");
  const auto from = behind_scheme == std::string::npos ? 0 : behind_scheme + 3;
  if (known.find("//", from) != std::string::npos) return std::nullopt;
  auto plain = percent_decode(path, false);
  if (!plain || !is_valid_utf8(*plain)) return std::nullopt;
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(plain->begin(), plain->end(), is_control)) return std::nullopt;
  const auto segments = split(*plain, '/');
  if (std::any_of(segments.begin(), segments.end(), is_dots)) return std::nullopt;
  return plain;
}

/// None where one of them is none.
std::vector<std::string> methods_in(const std::string& word) {
  // Some servers take methods in whatever case.
  auto methods = split(lower(word), ',');
  const bool has_gap =
      word.starts_with(',') || word.ends_with(',') || word.find(",,") != std::string::npos;
  const bool good = !has_gap && std::all_of(methods.begin(), methods.end(), is_http_token) &&
                    (methods.size() == 1 || std::count(methods.begin(), methods.end(), "*") == 0);
  if (!good) methods.clear();
  return methods;
}

std::string quoted(const std::string& text) {
  return "'" + printable(text, 120) + "'";
}

}  // namespace

class RouteRules::Rule {
 public:
  static Result<std::shared_ptr<const Rule>> parse(const std::string& text) {
    const auto bad = [&](const std::string& why) {
      return Error{ErrorCode::invalid_field, "the rule " + quoted(text) + " " + why,
                   "it reads [CONNECTION] allow|deny METHODS PATH, for example: "
                   "github allow GET,HEAD /repos/**"};
    };
    if (text.size() > 2000 || !fault_of_text(text).empty())
      return bad("has characters or a length that are not allowed");
    auto words = split(text, ' ');
    std::erase(words, "");
    auto rule = std::make_shared<Rule>();
    if (words.size() == 4) {
      rule->connection_ = words[0];
      words.erase(words.begin());
    }
    if (words.size() != 3) return bad("has not three or four words");
    if (words[0] != "allow" && words[0] != "deny") return bad("neither allows nor denies");
    rule->allows_ = words[0] == "allow";
    rule->methods_ = methods_in(words[1]);
    if (rule->methods_.empty()) return bad("names methods that are none");
    const auto& path = words[2];
    if (!path.starts_with('/') && !path.starts_with("https://") && !path.starts_with("http://"))
      return bad("has a path that does not begin with /");
    // Written as it is sent, and compared as it is meant. What no path can be would never fit.
    const auto meant = plain_path(path);
    if (!meant || path.find_first_of("?#") != std::string::npos ||
        lower(path).find("%2a") != std::string::npos)
      return bad("has a path that no request has");
    rule->path_ = std::make_unique<RE2>(expression_of(*meant), options());
    if (!rule->path_->ok()) return bad("has a path that is too long");
    return std::shared_ptr<const Rule>(std::move(rule));
  }

  bool is_about(const ConnectionRow& row) const {
    return connection_.empty() || connection_ == row.id || connection_ == row.alias ||
           connection_ == row.provider_name;
  }
  /// `method`: in lower case. What is denied to GET is to HEAD, which tells of the same.
  bool fits(const std::string& method, const std::string& path) const {
    const bool fits_method =
        methods_.front() == "*" || names(method) || (!allows_ && method == "head" && names("get"));
    return fits_method && RE2::FullMatch(path, *path_);
  }
  bool allows() const { return allows_; }

 private:
  bool names(const std::string& method) const {
    return std::find(methods_.begin(), methods_.end(), method) != methods_.end();
  }

  std::string connection_;  ///< "" for all
  bool allows_ = false;
  std::vector<std::string> methods_;  ///< in lower case, at least one
  std::unique_ptr<RE2> path_;
};

Result<RouteRules> RouteRules::parse(const std::vector<std::string>& texts) {
  RouteRules rules;
  for (const auto& text : texts) {
    NEXUS_TRY(auto rule, Rule::parse(text));
    rules.rules_.push_back(std::move(rule));
  }
  rules.texts_ = texts;
  rules.binds_ = !texts.empty();
  return rules;
}

RouteRules RouteRules::about(const ConnectionRow& connection) const {
  RouteRules rules;
  rules.binds_ = binds_;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i]->is_about(connection)) continue;
    rules.rules_.push_back(rules_[i]);
    rules.texts_.push_back(texts_[i]);
  }
  return rules;
}

Result<void> RouteRules::check(const std::string& method, std::string_view path,
                               std::string_view as_asked) const {
  if (!binds_) return {};
  const auto denied = [&](const std::string& why) {
    return Error{ErrorCode::route_not_allowed,
                 method + " " + printable(as_asked, 200) + " is not allowed: " + why,
                 "ask whoever set the rules, under [proxy] in nexus.toml or of this key"};
  };
  const auto plain = plain_path(path);
  if (!plain) return denied("where there are rules, no path may be read in two ways");
  const auto known_method = lower(method);
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i]->fits(known_method, *plain)) continue;
    if (rules_[i]->allows()) return {};
    return denied("the rule is " + quoted(texts_[i]));
  }
  return denied("no rule allows it");
}

}  // namespace nexus
