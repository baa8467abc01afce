#include "daemon/connect/return_urls.h"

#include <algorithm>

#include "common/text.h"

namespace nexus {
namespace {

/// Browsers resolve dot segments, also encoded ones, after the check: none may be there.
bool has_dot_segment(const std::string& path) {
  for (const auto& segment : split(path, '/')) {
    const auto plain = percent_decode(segment, false);
    if (!plain || *plain == "." || *plain == "..") return true;
  }
  return false;
}

bool is_below(const Url& url, const Url& entry) {
  if (url.origin() != entry.origin() || !url.path.starts_with(entry.path)) return false;
  return url.path.size() == entry.path.size() || entry.path.ends_with('/') ||
         url.path[entry.path.size()] == '/';
}

bool is_web(const std::string& scheme) {
  return scheme == "https" || scheme == "http";
}

/// Schemes that browsers or systems act upon themselves: none of them is an application's own.
bool is_taken(const std::string& scheme) {
  constexpr std::string_view taken[] = {
      "about",  "blob", "chrome", "data",   "file",     "filesystem", "ftp",
      "intent", "jar",  "mailto", "ms-its", "resource", "javascript", "vbscript",
      "sms",    "tel",  "urn",    "ws",     "wss",      "mhtml",      "view-source"};
  return std::find(std::begin(taken), std::end(taken), scheme) != std::end(taken);
}

bool may_be_private_use(const std::string& text) {
  const auto scheme = scheme_of(text);
  return !scheme.empty() && !is_web(scheme) && !is_taken(scheme) &&
         text.starts_with(scheme + ":/") && text.size() <= 2048 && is_vschar(text) &&
         text.find_first_of(" \"<>\\^`{|}#") == std::string::npos;
}

}  // namespace

Result<ReturnUrls> ReturnUrls::make(const std::vector<std::string>& allowed) {
  ReturnUrls urls;
  for (const auto& text : allowed) {
    if (may_be_private_use(text) && text.find('?') == std::string::npos) {
      urls.private_use_.push_back(text);
      continue;
    }
    auto url = parse_return_url(text);
    if (!url || url->has_query || url->has_fragment || has_dot_segment(url->path))
      return Error{ErrorCode::usage,
                   "gateway.return_urls: '" + printable(text, 80) + "' cannot be listed",
                   "give scheme, host and path, for example \"https://app.example.com/oauth\", or "
                   "all of an application's own URL, \"myapp://callback\""};
    urls.allowed_.push_back(*std::move(url));
  }
  return urls;
}

Result<void> ReturnUrls::check(const std::string& return_url) const {
  const Error not_listed{ErrorCode::return_url_not_allowed, "this return_url is not on the list",
                         "add it to gateway.return_urls in nexus.toml"};
  if (may_be_private_use(return_url)) {
    const auto without_query = return_url.substr(0, return_url.find('?'));
    const bool listed =
        std::find(private_use_.begin(), private_use_.end(), without_query) != private_use_.end();
    return listed ? Result<void>() : not_listed;
  }
  NEXUS_TRY(const auto url, parse_return_url(return_url));
  if (allowed_.empty() && private_use_.empty()) return {};
  const bool listed = !has_dot_segment(url.path) &&
                      std::any_of(allowed_.begin(), allowed_.end(),
                                  [&](const Url& entry) { return is_below(url, entry); });
  return listed ? Result<void>() : not_listed;
}

std::string ReturnUrls::back_to(const std::string& return_url, const std::string& connection_id,
                                std::vector<std::pair<std::string, std::string>> parameters) const {
  if (return_url.empty() || !check(return_url)) return {};
  parameters.insert(parameters.begin() + 1, {"connection_id", connection_id});
  return with_parameters(return_url, parameters);
}

}  // namespace nexus
