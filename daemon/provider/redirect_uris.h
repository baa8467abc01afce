#pragma once

#include <string>

#include "daemon/provider/provider.h"

namespace nexus {

/// Where providers send people back to: what has to be registered there.
class RedirectUris {
 public:
  RedirectUris(std::string base_url, std::string path)
      : base_url_(std::move(base_url)), path_(std::move(path)) {}

  std::string of(const Provider& provider) const;
  /// The path that providers share who say `iss` with their answers.
  const std::string& shared_path() const { return path_; }
  /// RFC 9700 4.4.2: the path of a provider that shares it with no other.
  std::string own_path(const std::string& provider_name) const {
    return path_ + "/" + provider_name;
  }

 private:
  std::string base_url_;
  std::string path_;
};

}  // namespace nexus
