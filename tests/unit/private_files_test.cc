#include "cli/exec/private_files.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/variable.h"

using namespace nexus;
using namespace nexus::cli;

TEST_CASE("private files are this user's alone, and gone in the end", "[private_files]") {
  const test::TemporaryDirectory place;
  const test::Variable runtime("XDG_RUNTIME_DIR", place.path());
  std::filesystem::permissions(place.path(), std::filesystem::perms::owner_all);
  std::string directory;
  {
    PrivateFiles files;
    const auto before = umask(0777);
    const auto path = files.path_of("KEY_FILE");
    REQUIRE(path);
    const auto made = files.add(*path, "canary");
    umask(before);
    REQUIRE(made);
    directory = path->substr(0, path->rfind('/'));
    CHECK(path->starts_with(place.path() + "/nexus-exec-"));
    struct stat about {};
    REQUIRE(stat(path->c_str(), &about) == 0);
    CHECK((about.st_mode & 07777) == 0600);
    REQUIRE(stat(directory.c_str(), &about) == 0);
    CHECK((about.st_mode & 07777) == 0700);
    std::string content;
    std::getline(std::ifstream(*path), content, '\0');
    CHECK(content == "canary");
    // What is there already is not written into, be it a link to elsewhere.
    CHECK_FALSE(files.add(*path, "again"));
    std::filesystem::create_symlink(place.path() + "/elsewhere", directory + "/LINK");
    CHECK_FALSE(files.add(*files.path_of("LINK"), "canary"));
    CHECK_FALSE(std::filesystem::exists(place.path() + "/elsewhere"));
    std::ofstream(directory + "/of-the-program") << "x";
  }
  CHECK_FALSE(std::filesystem::exists(directory));
}

TEST_CASE("private files are not put where others may take them away", "[private_files]") {
  const test::TemporaryDirectory open;
  const test::TemporaryDirectory named;
  std::filesystem::permissions(open.path(), std::filesystem::perms::all);
  const test::Variable runtime("XDG_RUNTIME_DIR", open.path());
  const test::Variable temporary("TMPDIR", named.path());
  PrivateFiles files;
  const auto path = files.path_of("F");
  REQUIRE(path);
  CHECK_FALSE(path->starts_with(open.path() + "/"));
}
