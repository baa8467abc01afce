#include "tests/support/aws_vectors.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace nexus::test {

std::vector<AwsVector> aws_vectors(const std::string& suite) {
  std::ifstream file(NEXUS_SOURCE "/tests/support/aws_vectors.json");
  const auto suites = nlohmann::json::parse(file);
  std::vector<AwsVector> vectors;
  for (const auto& vector : suites.at(suite)) {
    const auto text = [&](const char* name) { return vector.value(name, ""); };
    vectors.push_back({text("name"), text("method"), text("target"), text("headers"), text("body"),
                       text("canonical_path"), text("canonical_query"), text("canonical_headers"),
                       text("signature"), text("canonical_hash")});
  }
  return vectors;
}

}  // namespace nexus::test
