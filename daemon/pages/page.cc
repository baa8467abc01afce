#include "daemon/pages/page.h"

#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--ground:#f4f6f9;--card:#fff;--line:#dfe4ea;--edge:#7b8694;--focus:#7aa7f0;--bad:#b42318;--act:#1f5fbf}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#a3adba;--ground:#14181d;--card:#1d232a;--line:#303842;--edge:#7c8796;--focus:#7aa7f0;--bad:#f2786d;--act:#2f6fd0}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:27rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:2.25rem 2rem;text-align:center}
svg{width:3.25rem;height:3.25rem;fill:none;stroke:currentColor;stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
.success svg{color:#1a7f4b}.denied svg{color:#a86408}.failure svg{color:#c0362c}
@media (prefers-color-scheme:dark){.success svg{color:#4cc38a}.denied svg{color:#e2a336}.failure svg{color:#f2786d}}
h1{margin:1rem 0 .5rem;font-size:1.35rem;line-height:1.3;overflow-wrap:anywhere}
p{margin:.5rem 0 0;color:var(--soft);overflow-wrap:anywhere}
a{color:var(--act)}
@media (prefers-color-scheme:dark){a{color:var(--focus)}}
form{margin-top:1.5rem;text-align:left}
.field{margin-top:1.1rem}
label{display:block;font-weight:600}
label.tick{font-weight:400}
.hint,.optional{color:var(--soft);font-size:.9rem;font-weight:400}
.hint{margin:.1rem 0 0}
input,select{width:100%;margin-top:.35rem;padding:.6rem .7rem;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--edge);border-radius:.4rem}
input[type=checkbox]{width:1.1rem;height:1.1rem;margin:0 .5rem 0 0;vertical-align:-.15rem}
input:focus,select:focus,button:focus{outline:3px solid var(--focus);outline-offset:1px}
[aria-invalid=true]{border-color:var(--bad)}
p.error{margin:.35rem 0 0;color:var(--bad);font-size:.95rem}
p.alert{margin-top:1.25rem;padding:.7rem .9rem;border:1px solid var(--bad);border-radius:.4rem;color:var(--bad);text-align:left}
button{width:100%;margin-top:1.6rem;padding:.7rem;font:inherit;font-weight:600;color:#fff;background:var(--act);border:0;border-radius:.4rem;cursor:pointer}
pre{margin:.5rem 0 0;padding:.6rem .7rem;background:var(--ground);border:1px solid var(--line);border-radius:.4rem;font:.95rem/1.4 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}
p.brand{margin-top:1.75rem;font-size:.85rem;letter-spacing:.02em}
)css";

/// The directive's value for a text that may be inline: its hash.
std::string hash_source(std::string_view text) {
  return "'sha256-" + base64(sha256(text)) + "'";
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

Page make_page(const PageParts& parts) {
  Page page;
  const auto title = html_escape(parts.title);
  page.html.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
      .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
      .append("<meta name=\"robots\" content=\"noindex\">\n<title>")
      .append(title)
      .append(" · Nexus</title>\n<style>")
      .append(kStyle)
      .append("</style>\n");
  if (!parts.script.empty())
    page.html.append("<script data-receipt=\"")
        .append(html_escape(parts.receipt))
        .append("\">")
        .append(parts.script)
        .append("</script>\n");
  page.html.append("</head>\n<body>\n<main class=\"")
      .append(parts.css_class)
      .append("\">\n")
      .append(parts.body)
      .append("</main>\n</body>\n</html>\n");
  page.content_security_policy =
      "default-src 'none'; style-src " + hash_source(kStyle) +
      (parts.script.empty() ? "" : "; script-src " + hash_source(parts.script)) +
      "; base-uri 'none'; form-action " + parts.form_action + "; frame-ancestors 'none'";
  return page;
}

}  // namespace nexus
