#include "daemon/pages/callback_page.h"

namespace nexus {
namespace {

constexpr std::string_view kScript =
    "const receipt=document.currentScript.dataset.receipt;"
    "history.replaceState(null,'',location.pathname+(receipt?'?outcome='+receipt:''))";

std::string_view symbol(PageTone tone) {
  switch (tone) {
    case PageTone::success:
      return R"(<circle cx="12" cy="12" r="9.5"/><path d="m7.8 12.4 2.8 2.8 5.6-6"/>)";
    case PageTone::denied:
      return R"(<circle cx="12" cy="12" r="9.5"/><path d="m5.6 5.6 12.8 12.8"/>)";
    case PageTone::failure:
      return R"(<circle cx="12" cy="12" r="9.5"/><path d="M12 7v6"/><path d="M12 16.6v.1"/>)";
    case PageTone::waiting:
      return R"(<circle cx="12" cy="12" r="9.5"/><path d="M12 6.5V12l3.5 2"/>)";
  }
  return {};
}

std::string_view word(PageTone tone) {
  switch (tone) {
    case PageTone::success:
      return "success";
    case PageTone::denied:
      return "denied";
    case PageTone::failure:
      return "failure";
    case PageTone::waiting:
      return "waiting";
  }
  return {};
}

}  // namespace

Page callback_page(const Notice& notice) {
  std::string body = "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">";
  body.append(symbol(notice.tone))
      .append("</svg>\n<h1>")
      .append(html_escape(notice.title))
      .append("</h1>\n<p>")
      .append(html_escape(notice.text))
      .append("</p>\n");
  if (!notice.command.empty())
    body.append("<p>")
        .append(html_escape(notice.lead))
        .append("</p>\n<pre>")
        .append(html_escape(notice.command))
        .append("</pre>\n");
  body.append("<p class=\"brand\">Nexus, on this computer</p>\n");
  return make_page({.title = notice.title,
                    .css_class = word(notice.tone),
                    .body = body,
                    .script = kScript,
                    .receipt = notice.receipt});
}

}  // namespace nexus
