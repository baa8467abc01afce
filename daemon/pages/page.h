#pragma once

#include <string>
#include <string_view>

namespace nexus {

struct Page {
  std::string html;
  std::string content_security_policy;
};

/// What a page is made of. `body` is markup, its texts escaped already; the others are texts.
struct PageParts {
  std::string_view title;
  std::string_view css_class;
  std::string body;
  std::string_view script{};           ///< "" for none; runs by its hash alone
  std::string_view receipt{};          ///< for the script, as its data-receipt
  std::string form_action = "'none'";  ///< where forms may be sent, as a CSP source list
};

/// Nothing is loaded from anywhere; the style runs by its hash alone.
Page make_page(const PageParts& parts);

std::string html_escape(std::string_view text);

}  // namespace nexus
