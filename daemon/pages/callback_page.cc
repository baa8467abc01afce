#include "daemon/pages/callback_page.h"

#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr std::string_view kScript = "history.replaceState(null,'',location.pathname)";

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--ground:#f4f6f9;--card:#fff;--line:#dfe4ea}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#a3adba;--ground:#14181d;--card:#1d232a;--line:#303842}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:27rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:2.25rem 2rem;text-align:center}
svg{width:3.25rem;height:3.25rem;fill:none;stroke:currentColor;stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
.success svg{color:#1a7f4b}.denied svg{color:#a86408}.failure svg{color:#c0362c}
@media (prefers-color-scheme:dark){.success svg{color:#4cc38a}.denied svg{color:#e2a336}.failure svg{color:#f2786d}}
h1{margin:1rem 0 .5rem;font-size:1.35rem;line-height:1.3;overflow-wrap:anywhere}
p{margin:.5rem 0 0;color:var(--soft);overflow-wrap:anywhere}
p.brand{margin-top:1.75rem;font-size:.85rem;letter-spacing:.02em}
)css";

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

std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Page callback_page(PageTone tone, std::string_view title, std::string_view text) {
  Page page;
  const auto heading = html_escape(title);
  page.html.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
      .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
      .append("<meta name=\"robots\" content=\"noindex\">\n<title>")
      .append(heading)
      .append(" · Nexus</title>\n<style>")
      .append(kStyle)
      .append("</style>\n<script>")
      .append(kScript)
      .append("</script>\n</head>\n<body>\n<main class=\"")
      .append(word(tone))
      .append("\">\n<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">")
      .append(symbol(tone))
      .append("</svg>\n<h1>")
      .append(heading)
      .append("</h1>\n<p>")
      .append(html_escape(text))
      .append("</p>\n<p class=\"brand\">Nexus, on this computer</p>\n</main>\n</body>\n</html>\n");
  page.content_security_policy = "default-src 'none'; script-src 'sha256-" +
                                 base64(sha256(kScript)) + "'; style-src 'sha256-" +
                                 base64(sha256(kStyle)) +
                                 "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return page;
}

}  // namespace nexus
