#include "daemon/own_places.h"

#include <curl/curl.h>

#include <filesystem>

#include "common/paths.h"

namespace nexus {
namespace {

namespace fs = std::filesystem;

class Places {
 public:
  explicit Places(std::string directory) : directory_(std::move(directory)) {}

  void add(const std::string& path, FileRight right) { all_.push_back({path, right}); }

  /// A file, and what comes in its place: it may be renamed there, or be a link that is turned. So
  /// all of its directory may be read, unless that is everybody's or the person's.
  void add_file(const std::string& path) {
    if (path.empty()) return;
    const auto named = (fs::path(directory_) / path).lexically_normal();
    std::error_code absent;
    add_with_directory(named);
    add_with_directory(fs::canonical(named, absent));
  }

  std::vector<AllowedPlace> take() { return std::move(all_); }

 private:
  void add_with_directory(const fs::path& file) {
    if (file.empty()) return;
    const auto parent = file.parent_path().string();
    const bool is_shared = parent == "/" || parent == "/tmp" || parent == environment("HOME");
    add(is_shared ? file.string() : parent, FileRight::read);
  }

  const std::string directory_;
  std::vector<AllowedPlace> all_;
};

/// Where programs and their libraries are: the nexusd that is installed next may be in another.
void add_programs(Places& to) {
  for (const char* each : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt",
                           "/nix/store", "/gnu/store", "/home/linuxbrew/.linuxbrew"})
    to.add(each, FileRight::run);
  std::error_code unknown;
  const auto beside = fs::read_symlink("/proc/self/exe", unknown).parent_path();
  const auto home = environment("HOME");
  for (const auto& each : {beside.string(), home.empty() ? "" : home + "/.local/bin"}) {
    if (each.empty() || each == home) continue;
    to.add(each, FileRight::run);
    to.add(each + "/../lib/nexus", FileRight::run);  // what an archive brings along
  }
}

/// What the C library, OpenSSL and libcurl look up: names, time zones, certificates.
void add_system(Places& to) {
  for (const char* each : {"/etc", "/proc", "/sys/devices/system/cpu", "/dev/urandom",
                           "/dev/random", "/run/systemd/resolve", "/run/NetworkManager",
                           "/run/resolvconf", "/var/lib/ca-certificates"})
    to.add(each, FileRight::read);
  to.add("/dev/null", FileRight::write);
  for (const char* each :
       {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/localtime"})
    to.add_file(each);
  // Where this libcurl was built to look for authorities.
  const auto* curl = curl_version_info(CURLVERSION_NOW);
  if (curl->cainfo) to.add_file(curl->cainfo);
  if (curl->capath) to.add(curl->capath, FileRight::read);
}

}  // namespace

std::vector<AllowedPlace> own_places(const Config& config, const std::string& directory,
                                     const std::string& socket_directory) {
  Places places(directory);
  add_programs(places);
  add_system(places);
  for (const auto& file :
       {config.file, config.ca_file, config.gateway.tls_certificate, config.gateway.tls_key,
        environment("API_KEY_FILE"), environment("API_KEYS_FILE")})
    places.add_file(file);
  if (const auto credentials = environment("CREDENTIALS_DIRECTORY"); !credentials.empty())
    places.add(credentials + "/nexusd.vault.key", FileRight::read);
  if (!config.data_dir.empty()) {
    places.add(config.data_dir, FileRight::keep);
    places.add(default_state_dir(), FileRight::keep);
  }
  if (!socket_directory.empty()) places.add(socket_directory, FileRight::unlink);
  // One that keeps nothing has a directory for its socket alone, which goes with it.
  if (config.data_dir.empty())
    places.add(fs::path(socket_directory).parent_path().string(), FileRight::rmdir);
  return places.take();
}

}  // namespace nexus
