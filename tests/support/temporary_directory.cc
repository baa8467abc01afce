#include "tests/support/temporary_directory.h"

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

namespace nexus::test {

namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory() {
  for (const auto& parent : {fs::path("/dev/shm"), fs::temp_directory_path()}) {
    path_ = (parent / "nexus-test-XXXXXX").string();
    if (mkdtemp(path_.data())) return;
  }
  throw std::runtime_error("there is no place for a temporary directory");
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void TemporaryDirectory::copy_from(const TemporaryDirectory& other) {
  fs::copy(other.path_, path_, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
}

}  // namespace nexus::test
