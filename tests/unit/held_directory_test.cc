#include "cli/exec/held_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace nexus;
using cli::HeldDirectory;
namespace fs = std::filesystem;

namespace {

/// As a process that was killed leaves it: with nobody who holds it.
std::string left_behind(const std::string& place) {
  const auto made = HeldDirectory::make(place);
  REQUIRE(made);
  std::ofstream(made->path() + "/KEY") << "canary";
  return made->path();
}

}  // namespace

TEST_CASE("a directory that nobody holds is swept, one that somebody holds is not",
          "[private_files]") {
  const test::TemporaryDirectory place;
  const auto stale = left_behind(place.path());
  const auto held = HeldDirectory::make(place.path());
  REQUIRE(held);
  std::ofstream(held->path() + "/KEY") << "canary";
  HeldDirectory::sweep(place.path());
  CHECK_FALSE(fs::exists(stale));
  CHECK(fs::exists(held->path() + "/KEY"));
  REQUIRE(held->remove());
  CHECK_FALSE(fs::exists(held->path()));
}

TEST_CASE("another process holds its directory until it is killed", "[private_files]") {
  const test::TemporaryDirectory place;
  int made[2];
  REQUIRE(pipe(made) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto held = HeldDirectory::make(place.path());
    const char c = held ? 'y' : 'n';
    if (write(made[1], &c, 1) != 1) _exit(1);
    while (true) pause();
  }
  char c = 0;
  REQUIRE(read(made[0], &c, 1) == 1);
  CHECK(c == 'y');
  HeldDirectory::sweep(place.path());
  CHECK_FALSE(fs::is_empty(place.path()));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  HeldDirectory::sweep(place.path());
  CHECK(fs::is_empty(place.path()));
  close(made[0]);
  close(made[1]);
}

TEST_CASE("what is not certainly a directory of ours is left alone", "[private_files]") {
  const test::TemporaryDirectory place;
  const test::TemporaryDirectory elsewhere;
  std::ofstream(elsewhere.path() + "/precious") << "x";
  fs::permissions(elsewhere.path(), fs::perms::owner_all);
  const auto name = place.path() + "/nexus-exec-files-";
  std::ofstream(name + "file") << "x";
  fs::create_directory_symlink(elsewhere.path(), name + "link");
  fs::create_directory(name + "open");
  fs::permissions(name + "open", fs::perms::owner_all | fs::perms::group_read);
  for (const char* other : {"/nexus-exec-AbCdEf", "/other", "/nexus"}) {
    fs::create_directory(place.path() + other);
    fs::permissions(place.path() + other, fs::perms::owner_all);
  }
  REQUIRE(mkfifo((name + "pipe").c_str(), 0600) == 0);
  if (geteuid() == 0) {
    fs::create_directory(name + "of-somebody");
    fs::permissions(name + "of-somebody", fs::perms::owner_all);
    REQUIRE(chown((name + "of-somebody").c_str(), 65534, 65534) == 0);
  }
  const auto count = [&] {
    return std::distance(fs::directory_iterator(place.path()), fs::directory_iterator());
  };
  const auto before = count();
  HeldDirectory::sweep(place.path());
  HeldDirectory::sweep(place.path() + "/nothing-here");
  CHECK(count() == before);
  CHECK(fs::exists(elsewhere.path() + "/precious"));
}

TEST_CASE("a link in what is swept goes, and not what it leads to", "[private_files]") {
  const test::TemporaryDirectory place;
  const test::TemporaryDirectory elsewhere;
  std::ofstream(elsewhere.path() + "/precious") << "x";
  const auto stale = left_behind(place.path());
  fs::create_directory_symlink(elsewhere.path(), stale + "/link");
  HeldDirectory::sweep(place.path());
  CHECK_FALSE(fs::exists(stale));
  CHECK(fs::exists(elsewhere.path() + "/precious"));
}

TEST_CASE("a directory that is made while others sweep is there, and held", "[private_files]") {
  const test::TemporaryDirectory place;
  const pid_t sweeper = fork();
  if (sweeper == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // also where a check below fails
    while (true) HeldDirectory::sweep(place.path());
  }
  for (int i = 0; i < 300; ++i) {
    const auto made = HeldDirectory::make(place.path());
    REQUIRE(made);
    std::ofstream(made->path() + "/KEY") << "canary";
    CHECK(fs::exists(made->path() + "/KEY"));
    REQUIRE(made->remove());
  }
  kill(sweeper, SIGKILL);
  waitpid(sweeper, nullptr, 0);
}
