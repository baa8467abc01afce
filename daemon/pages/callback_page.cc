#include "daemon/pages/callback_page.h"

namespace nexus {
namespace {

constexpr std::string_view kScript = "history.replaceState(null,'',location.pathname)";

std::string_view symbol(PageTone tone) {
  switch (tone) {
    case PageTone::success:
      return R"(<circle cx="12" cy="12" r="9.5"/><path d="m7.8 12.4 2.8 2.8 5.6-6"/>)";
    case PageTone::denied:
      return R"(<circle cx="12" cy="12" r="9.5"/><path d="m5.6 5.6 12.8 12.8"/>)";
    case PageTone::failure:
      return R"(<circle cx="12" cy="12" r="9.5"/><path d="M12 7v6"/><path d="M12 16.6v.1"/>)";
  }
  return {};
}

std::string_view word(PageTone tone) {
  return tone == PageTone::success ? "success" : tone == PageTone::denied ? "denied" : "failure";
}

}  // namespace

Page callback_page(PageTone tone, std::string_view title, std::string_view text) {
  std::string body = "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">";
  body.append(symbol(tone))
      .append("</svg>\n<h1>")
      .append(html_escape(title))
      .append("</h1>\n<p>")
      .append(html_escape(text))
      .append("</p>\n<p class=\"brand\">Nexus, on this computer</p>\n");
  return make_page({.title = title, .css_class = word(tone), .body = body, .script = kScript});
}

}  // namespace nexus
