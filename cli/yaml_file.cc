#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "cli/data_file.h"
#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// Aliases can make a small file large.
constexpr int kMostNodes = 100'000;
constexpr int kDeepest = 32;

struct Reader {
  std::string name;
  DataFile file;
  int nodes = 0;

  /// A document without anything in it stands nowhere, to the library.
  static int line_of(const YAML::Mark& mark) { return std::max(mark.line + 1, 1); }

  Error at(const YAML::Mark& mark, const std::string& what) const {
    return {ErrorCode::usage, name + ":" + std::to_string(line_of(mark)) + ": " + what,
            "correct the file and try again"};
  }

  static Json scalar(const YAML::Node& node) {
    const auto& text = node.Scalar();
    if (node.Tag() == "!") return text;  // quoted
    if (text == "true" || text == "false") return text == "true";
    if (text == "null" || text == "~" || text.empty()) return nullptr;
    const bool negative = text.starts_with('-');
    if (const auto number = parse_number(std::string_view(text).substr(negative ? 1 : 0)))
      return negative ? -*number : *number;
    return text;
  }

  Result<Json> convert(const YAML::Node& node, const std::string& pointer, int depth) {
    if (++nodes > kMostNodes || depth > kDeepest)
      return at(node.Mark(), "the document is too large or too deep");
    file.lines[pointer] = line_of(node.Mark());
    if (node.IsMap()) {
      Json object = Json::object();
      for (const auto& pair : node) {
        const auto& key = pair.first;
        if (!key.IsScalar()) return at(key.Mark(), "a name has to be a text");
        const auto& member = key.Scalar();
        if (object.contains(member)) return at(key.Mark(), "'" + member + "' stands here twice");
        NEXUS_TRY(object[member], convert(pair.second, pointer + "/" + member, depth + 1));
        file.lines[pointer + "/" + member] = line_of(key.Mark());
      }
      return object;
    }
    if (node.IsSequence()) {
      Json array = Json::array();
      for (const auto& item : node) {
        NEXUS_TRY(auto value,
                  convert(item, pointer + "/" + std::to_string(array.size()), depth + 1));
        array.push_back(std::move(value));
      }
      return array;
    }
    return node.IsScalar() ? scalar(node) : Json(nullptr);
  }
};

}  // namespace

Result<DataFile> parse_yaml(const std::string& text, const std::string& name) {
  Reader reader{name, {}, 0};
  try {
    NEXUS_TRY(reader.file.document, reader.convert(YAML::Load(text), "", 0));
  } catch (const YAML::Exception& error) {  // the library's way to tell
    return reader.at(error.mark, error.msg);
  }
  return std::move(reader.file);
}

}  // namespace nexus::cli
