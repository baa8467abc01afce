#pragma once

#include <string>

namespace nexus::test {

/// A directory of its own for one test, removed at the end. In memory where the system has such a
/// place: what a test writes need not survive a power cut, and its syncs cost nothing there.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  /// The files of another one, as they are now.
  void copy_from(const TemporaryDirectory& other);

 private:
  std::string path_;
};

}  // namespace nexus::test
