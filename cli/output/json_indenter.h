#pragma once

#include <string_view>

#include "common/secret.h"

namespace nexus::cli {

/// Lays JSON out for a person to read, piece by piece as it comes, whatever its layout was; also
/// documents one after the other, and what is no JSON at all. What it makes is wiped: tokens are
/// shown so, too.
class JsonIndenter {
 public:
  SecretText indent(std::string_view piece);

 private:
  void add(char c, SecretText& out);
  void break_line(SecretText& out) const;

  std::size_t depth_ = 0;
  bool opened_ = false;  ///< the last one was a bracket that opens: nothing may come
  bool in_text_ = false;
  bool escaped_ = false;
};

}  // namespace nexus::cli
