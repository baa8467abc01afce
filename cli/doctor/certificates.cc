// The certificates that servers are held to.
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "cli/doctor/checks.h"
#include "common/paths.h"
#include "common/regular_file.h"

namespace nexus::cli::doctor {
namespace {

// Where distributions have theirs, as libcurl was built to look.
constexpr const char* kBundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                    "/etc/ssl/cert.pem"};

/// What is wrong with a file of certificates; nothing of one that has some.
std::optional<std::string> fault_of(const std::string& file) {
  const auto opened = open_regular_file(file);
  SecretText text;
  if (opened.get() < 0 || !read_all(opened.get(), text)) return why_not_opened();
  for (const char* begin : {"-----BEGIN CERTIFICATE-----", "-----BEGIN TRUSTED CERTIFICATE-----"})
    if (text.find(begin) != SecretText::npos) return std::nullopt;
  return "it has no certificate in PEM form";
}

Finding check_systems() {
  for (const char* file : kBundles)
    if (!fault_of(file)) return ok(std::string("those of ") + file);
  return failure("the system has no CA certificates that can be used",
                 "install them (the package ca-certificates), or set ca_file under [network] in "
                 "nexus.toml");
}

/// Other programs go by these, so that one may be thought to hold here.
void check_ca_variables(Findings& found) {
  const std::string mend = "; nexusd goes by ca_file under [network] in nexus.toml";
  if (const auto file = environment("SSL_CERT_FILE"); !file.empty())
    if (const auto fault = fault_of(file))
      found.push_back(warning("SSL_CERT_FILE is " + file + ": " + *fault,
                              "name a CA bundle, or unset SSL_CERT_FILE" + mend));
  if (const auto directory = environment("SSL_CERT_DIR"); !directory.empty()) {
    std::error_code error;
    if (std::filesystem::is_empty(directory, error) || error)
      found.push_back(
          warning("SSL_CERT_DIR is " + directory + ": " + (error ? error.message() : "it is empty"),
                  "name a directory of CA certificates, or unset SSL_CERT_DIR" + mend));
  }
}

}  // namespace

Findings check_certificates(const Scene& scene) {
  const auto& own = scene.config.ca_file;
  Findings found;
  const auto fault = own.empty() ? std::nullopt : fault_of(own);
  if (fault)
    found.push_back(failure("the CA bundle " + own + ": " + *fault,
                            "set ca_file under [network] in nexus.toml to a file of certificates, "
                            "or leave it out for the system's"));
  else
    found.push_back(own.empty() ? check_systems() : ok("those of " + own));
  check_ca_variables(found);
  return found;
}

}  // namespace nexus::cli::doctor
