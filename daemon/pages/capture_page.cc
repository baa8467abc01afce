#include "daemon/pages/capture_page.h"

#include <algorithm>

#include "daemon/net/url.h"

namespace nexus {
namespace {

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + html_escape(value) + "\"";
}

std::string input_type(const CredentialField& field) {
  if (field.secret) return "password";
  if (field.format == "uri") return "url";
  if (field.format == "email") return "email";
  return "text";
}

/// The control itself; `common` are the attributes that every kind of control has.
std::string control(const CredentialField& field, const std::string& common,
                    const std::string& value) {
  if (field.type == CredentialField::Type::boolean)
    return "<input type=\"checkbox\" value=\"true\"" + common +
           (value == "true" ? " checked" : "") + ">";
  if (!field.choices.empty() && !field.secret) {
    std::string out = "<select" + common + ">";
    if (value.empty()) out += "<option value=\"\">Choose…</option>";
    for (const auto& choice : field.choices)
      out += "<option" + std::string(choice == value ? " selected" : "") + ">" +
             html_escape(choice) + "</option>";
    return out + "</select>";
  }
  std::string out = "<input" + attribute("type", input_type(field)) + common;
  out += " autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\"";
  if (field.type == CredentialField::Type::integer) out += " inputmode=\"numeric\"";
  if (!field.secret && !value.empty()) out += attribute("value", value);
  return out + ">";
}

std::string field_markup(const CredentialField& field, const std::string& value,
                         const std::string& fault, bool focus) {
  const auto id = "field-" + field.name;
  std::string described;
  if (!field.description.empty()) described = id + "-hint";
  if (!fault.empty()) described += (described.empty() ? "" : " ") + id + "-error";
  auto common = attribute("id", id) + attribute("name", field.name);
  if (field.required && field.type != CredentialField::Type::boolean) common += " required";
  if (!described.empty()) common += attribute("aria-describedby", described);
  if (!fault.empty()) common += " aria-invalid=\"true\"";
  if (focus) common += " autofocus";

  const auto title = html_escape(field.title);
  std::string out = "<div class=\"field\">\n";
  if (field.type == CredentialField::Type::boolean) {
    out += "<label class=\"tick\"" + attribute("for", id) + ">" + control(field, common, value) +
           title + "</label>\n";
  } else {
    out += "<label" + attribute("for", id) + ">" + title +
           (field.required ? "" : " <span class=\"optional\">(optional)</span>") + "</label>\n";
    if (!field.description.empty())
      out += "<p class=\"hint\"" + attribute("id", id + "-hint") + ">" +
             html_escape(field.description) + "</p>\n";
    out += control(field, common, value) + "\n";
  }
  if (!fault.empty())
    out += "<p class=\"error\"" + attribute("id", id + "-error") + ">" + title + " " +
           html_escape(fault) + "</p>\n";
  return out + "</div>\n";
}

/// Browsers hold a form's redirects against form-action too, so the way back has to be in it.
std::string form_action(const std::string& return_url) {
  if (const auto url = parse_url(return_url, "return_url")) return "'self' " + url->origin();
  const auto scheme = scheme_of(return_url);
  return scheme.empty() ? "'self'" : "'self' " + scheme + ":";
}

}  // namespace

Page capture_page(const CaptureForm& form, const std::string& state, const std::string& submit_to,
                  const CaptureAttempt& attempt) {
  const auto fault_of = [&](const std::string& name) {
    const auto found = std::find_if(attempt.faults.begin(), attempt.faults.end(),
                                    [&](const auto& fault) { return fault.first == name; });
    return found == attempt.faults.end() ? std::string() : found->second;
  };
  const auto title = "Connect " + form.provider;
  auto body = "<h1>" + html_escape(title) + "</h1>\n";
  if (!form.description.empty()) body += "<p>" + html_escape(form.description) + "</p>\n";
  // To a tab of its own: what was typed here stays.
  if (!form.console_url.empty())
    body += "<p><a" + attribute("href", form.console_url) +
            " target=\"_blank\" rel=\"noopener noreferrer\">Make or find a key at " +
            html_escape(form.provider) + "</a></p>\n";
  if (!attempt.message.empty())
    body += "<p class=\"alert\" role=\"alert\">" + html_escape(attempt.message) + "</p>\n";
  body += "<form method=\"post\" novalidate" + attribute("action", submit_to) + ">\n";
  body += "<input type=\"hidden\" name=\"state\"" + attribute("value", state) + ">\n";
  bool focused = false;
  for (const auto& field : form.schema.fields()) {
    if (field.constant) continue;
    const auto fault = fault_of(field.name);
    // The first thing to correct, to type again after a refusal, or to type at all.
    const bool wanted = !attempt.faults.empty()   ? !fault.empty()
                        : attempt.message.empty() ? true
                                                  : field.secret;
    const bool focus = !focused && wanted;
    focused = focused || focus;
    const auto typed = attempt.typed.find(field.name);
    body += field_markup(field, typed == attempt.typed.end() ? field.fallback : typed->second,
                         fault, focus);
  }
  body += "<button type=\"submit\">Connect</button>\n</form>\n";
  body +=
      "<p class=\"brand\">Nexus, on this computer: checked with the provider where that is "
      "possible, then stored encrypted</p>\n";
  return make_page({.title = title,
                    .css_class = "form",
                    .body = body,
                    .form_action = form_action(form.return_url)});
}

}  // namespace nexus
