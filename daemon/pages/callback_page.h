#pragma once

#include <string>
#include <string_view>

namespace nexus {

struct Page {
  std::string html;
  std::string content_security_policy;
};

enum class PageTone { success, denied, failure };

/// The page a person sees after consent: what happened and that the tab can be closed. Every text
/// is escaped; nothing is loaded from anywhere; its script (which takes code and state out of the
/// address bar) and style run by their hashes alone.
Page callback_page(PageTone tone, std::string_view title, std::string_view text);

std::string html_escape(std::string_view text);

}  // namespace nexus
