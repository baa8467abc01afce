#pragma once

#include <string>

#include "daemon/provider/provider.h"

namespace nexus {

/// Where providers send people back to: what has to be registered there.
class RedirectUris {
 public:
  /// `taken`: that something else of nexusd answers at a path.
  using IsTaken = bool (*)(const std::string& path);
  RedirectUris(std::string base_url, std::string path, IsTaken taken)
      : base_url_(std::move(base_url)), path_(std::move(path)), is_taken_(taken) {}

  std::string of(const Provider& provider) const;
  bool is_taken(const std::string& path) const { return is_taken_(path); }
  /// The path that providers share who say `iss` with their answers.
  const std::string& shared_path() const { return path_; }
  /// RFC 9700 4.4.2: the path of a provider that shares it with no other.
  std::string own_path(const std::string& provider_name) const {
    return path_ + "/" + provider_name;
  }

 private:
  std::string base_url_;
  std::string path_;
  IsTaken is_taken_;
};

}  // namespace nexus
