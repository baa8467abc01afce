#include "cli/data_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "common/json.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

Error at(const std::string& name, const toml::source_region& where, const std::string& what) {
  return {ErrorCode::usage, name + ":" + std::to_string(where.begin.line) + ": " + what,
          "correct the file and try again"};
}

Result<Json> convert(const toml::node& node, const std::string& pointer, DataFile& file,
                     const std::string& name) {
  file.lines[pointer] = static_cast<int>(node.source().begin.line);
  if (const auto* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, value] : *table) {
      const auto below = pointer + "/" + std::string(key.str());
      NEXUS_TRY(object[std::string(key.str())], convert(value, below, file, name));
      file.lines[below] = static_cast<int>(key.source().begin.line);
    }
    return object;
  }
  if (const auto* list = node.as_array()) {
    Json array = Json::array();
    for (const auto& item : *list) {
      NEXUS_TRY(auto value,
                convert(item, pointer + "/" + std::to_string(array.size()), file, name));
      array.push_back(std::move(value));
    }
    return array;
  }
  if (const auto text = node.value_exact<std::string>()) return Json(*text);
  if (const auto flag = node.value_exact<bool>()) return Json(*flag);
  if (const auto number = node.value_exact<std::int64_t>()) return Json(*number);
  if (const auto number = node.value_exact<double>()) return Json(*number);
  return at(name, node.source(), "a date or time has no meaning here");
}

void put(toml::table& into, const std::string& name, const Json& value);

toml::table table_of(const Json& object) {
  toml::table table;
  for (const auto& [name, value] : object.items()) put(table, name, value);
  return table;
}

toml::array array_of(const Json& list) {
  toml::array array;
  for (const auto& item : list) {
    if (item.is_object()) array.push_back(table_of(item));
    if (item.is_array()) array.push_back(array_of(item));
    if (item.is_string()) array.push_back(item.get<std::string>());
    if (item.is_boolean()) array.push_back(item.get<bool>());
    if (item.is_number_integer()) array.push_back(item.get<std::int64_t>());
    if (item.is_number_float()) array.push_back(item.get<double>());
  }
  return array;
}

void put(toml::table& into, const std::string& name, const Json& value) {
  if (value.is_object()) into.insert(name, table_of(value));
  if (value.is_array()) into.insert(name, array_of(value));
  if (value.is_string()) into.insert(name, value.get<std::string>());
  if (value.is_boolean()) into.insert(name, value.get<bool>());
  if (value.is_number_integer()) into.insert(name, value.get<std::int64_t>());
  if (value.is_number_float()) into.insert(name, value.get<double>());
}

}  // namespace

std::string to_toml(const Json& object) {
  std::ostringstream text;
  text << table_of(object) << "\n";
  return text.str();
}

int DataFile::line_of(std::string pointer) const {
  while (true) {
    if (const auto found = lines.find(pointer); found != lines.end()) return found->second;
    const auto slash = pointer.rfind('/');
    if (slash == std::string::npos) return 1;
    pointer.erase(slash);
  }
}

Result<DataFile> parse_toml(std::string_view text, const std::string& name) {
  const auto parsed = toml::parse(text);
  if (!parsed) return at(name, parsed.error().source(), std::string(parsed.error().description()));
  DataFile file;
  NEXUS_TRY(file.document, convert(parsed.table(), "", file, name));
  return file;
}

Result<std::string> read_text_file(const std::string& path) {
  std::ifstream in(path == "-" ? "/dev/stdin" : path);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || text.str().empty())
    return Error{ErrorCode::usage,
                 "cannot read " + path + ": " + (in ? "it is empty" : std::strerror(errno)),
                 "name an existing file"};
  return text.str();
}

}  // namespace nexus::cli
