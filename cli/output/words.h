#pragma once

#include <string>
#include <string_view>

#include "common/text.h"

namespace nexus::cli {

enum class Color { none, green, yellow, red };

/// Words for a person, perhaps in a colour, or an address that a terminal may open. Whatever they
/// are made of (a server, a provider and a file are no friends of a terminal), nothing in them
/// moves a cursor, breaks a line or turns the reading direction.
class Words {
 public:
  Words(std::string_view text, Color color = Color::none)
      : text_(printable(text, text.size())), color_(color) {}
  Words(const std::string& text, Color color = Color::none)
      : Words(std::string_view(text), color) {}
  Words(const char* text, Color color = Color::none) : Words(std::string_view(text), color) {}
  static Words address(std::string_view url) {
    Words words(url);
    words.is_address_ = true;
    return words;
  }

  const std::string& text() const { return text_; }
  Color color() const { return color_; }
  bool is_address() const { return is_address_; }

 private:
  std::string text_;
  Color color_;
  bool is_address_ = false;
};

}  // namespace nexus::cli
