#include "common/api/capture.h"

#include <algorithm>

namespace nexus::api {

Result<void> read(const Reader& from, CaptureSchema& into) {
  // Members of a JSON object have no order: what is required comes in the order of that list.
  const auto required = from.texts("required");
  const auto place = [&required](const CaptureField& field) {
    return std::find(required.begin(), required.end(), field.name) - required.begin();
  };
  from.each_member("properties", [&](const std::string& name, const Reader& property) {
    CaptureField field{.name = name,
                       .title = property.text("title"),
                       .description = property.text("description"),
                       .fallback = property.text("default"),
                       .choices = property.texts("enum"),
                       .secret = property.text("format") == "password",
                       .yes_or_no = property.text("type") == "boolean"};
    field.required = std::find(required.begin(), required.end(), name) != required.end();
    into.fields.push_back(std::move(field));
  });
  std::stable_sort(into.fields.begin(), into.fields.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return {};
}

}  // namespace nexus::api
