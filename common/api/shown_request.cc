#include "common/api/shown_request.h"

namespace nexus::api {

Result<void> read(const Reader& from, ShownRequest& into) {
  into.method = from.text("method");
  into.url = from.text("url");
  if (into.method.empty() || into.url.empty()) return unknown_answer();
  from.each("headers", [&into](const Reader& header) {
    into.headers.emplace_back(header.text("name"), header.text("value"));
  });
  return {};
}

void write(SecretJsonWriter& to, const ShownRequest& value) {
  to.member("method", value.method).member("url", value.url).begin_list("headers");
  for (const auto& [name, text] : value.headers)
    to.begin().member("name", name).member("value", text).end();
  to.end_list();
}

}  // namespace nexus::api
