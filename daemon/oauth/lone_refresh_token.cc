#include "daemon/oauth/lone_refresh_token.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/oauth/token_response.h"

namespace nexus {
namespace {

constexpr std::string_view kName = "refresh_token";

/// What has been found under the name so far.
class Finding {
 public:
  void add(std::string_view text) {
    ++times_;
    if (is_token(text)) text_ = Secret(text);
  }
  void add_other() { ++times_; }
  Secret take() && { return times_ == 1 ? std::move(text_) : Secret(); }

 private:
  int times_ = 0;
  Secret text_;
};

/// Goes through JSON as far as it is well-formed.
class Search : public nlohmann::json_sax<Json> {
 public:
  bool key(string_t& name) override {
    is_next_ = name == kName;
    return true;
  }
  bool string(string_t& text) override {
    if (is_next_) finding_.add(text);
    is_next_ = false;
    return true;
  }
  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(number_integer_t) override { return other(); }
  bool number_unsigned(number_unsigned_t) override { return other(); }
  bool number_float(number_float_t, const string_t&) override { return other(); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return other(); }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return other(); }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  Secret take() && { return std::move(finding_).take(); }

 private:
  bool other() {
    if (is_next_) finding_.add_other();
    is_next_ = false;
    return true;
  }

  Finding finding_;
  bool is_next_ = false;
};

Secret in_json(std::string_view body) {
  // Bytes of other alphabets need not be UTF-8 here, and none is one of a token's: as DEL they end
  // neither the search nor in a token.
  SecretText ascii(body);
  for (auto& byte : ascii)
    if (static_cast<unsigned char>(byte) >= 0x80) byte = '\x7f';
  Search search;
  Json::sax_parse(std::string_view(ascii), &search, Json::input_format_t::json, false);
  return std::move(search).take();
}

Secret in_form(std::string_view body) {
  Finding finding;
  if (auto pairs = parse_form(trim(body)))
    for (auto& [name, value] : *pairs) {
      if (name == kName) finding.add(value);
      wipe(value);
    }
  return std::move(finding).take();
}

}  // namespace

Secret lone_refresh_token(std::string_view body, bool form) {
  return form ? in_form(body) : in_json(body);
}

}  // namespace nexus
