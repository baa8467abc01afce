#include "cli/doctor/clock.h"
#include "cli/doctor/directories.h"
#include "cli/doctor/proxy.h"
#include "cli/doctor/services.h"
#include "common/proxy_address.h"
#include "tests/support/catch.h"

using namespace nexus::cli::doctor;
using nexus::api::ProviderReach;

namespace {

ProviderReach seen(std::int64_t ahead) {
  return {.name = "p", .origin = "https://a.example", .reached = true, .clock_ahead_s = ahead};
}

}  // namespace

TEST_CASE("doctor: the clock is judged by the server that it agrees with most") {
  REQUIRE(judge_clock({seen(30)}).state == State::ok);
  REQUIRE(judge_clock({seen(-31)}).state == State::warning);
  REQUIRE(judge_clock({seen(300)}).state == State::warning);
  REQUIRE(judge_clock({seen(-301)}).state == State::failure);
  REQUIRE(judge_clock({seen(-4000), seen(2)}).state == State::ok);
  REQUIRE(judge_clock({seen(-301)}).message.find("behind") != std::string::npos);
  REQUIRE(judge_clock({seen(301)}).message.find("ahead of") != std::string::npos);
  REQUIRE(judge_clock({{.name = "silent"}}).state == State::note);
}

TEST_CASE("doctor: network file systems are told by their numbers") {
  REQUIRE(network_file_system(0x6969) == "NFS");
  REQUIRE(network_file_system(0xff534d42) == "CIFS");
  REQUIRE(network_file_system(0x65735546).starts_with("FUSE"));
  REQUIRE(network_file_system(0xef53).empty());      // ext4
  REQUIRE(network_file_system(0x9123683e).empty());  // btrfs
}

TEST_CASE("doctor: room for the vault") {
  REQUIRE(judge_free_space("/d", 4 * 1024 * 1024 - 1).state == State::failure);
  REQUIRE(judge_free_space("/d", 100 * 1024 * 1024 - 1).state == State::warning);
  REQUIRE(judge_free_space("/d", 100 * 1024 * 1024).state == State::ok);
}

TEST_CASE("doctor: a proxy's address is shown without user and password") {
  REQUIRE(nexus::parse_proxy("http://p.example:3128") == "http://p.example:3128");
  REQUIRE(nexus::parse_proxy("p.example:3128") == "http://p.example:3128");
  REQUIRE(nexus::parse_proxy("SOCKS5H://me:pa@ss@[::1]:1080/") == "socks5h://[::1]:1080");
  for (const auto* none : {"", "http://", "ftp://p.example", "http://p.example:0", "http://p:x",
                           "http://p.example:65536", "http://p.example/path", "http//p.example:1",
                           "http://p example", "http://[::1", "http://[]"})
    REQUIRE_FALSE(nexus::parse_proxy(none));
}

TEST_CASE("doctor: loopback has to be exempt from a proxy") {
  for (const auto* list : {"*", "127.0.0.1", "a.example, 127.0.0.1", "localhost 127.0.0.0/8"})
    REQUIRE(exempts_loopback(list));
  for (const auto* list : {"", "localhost", "127.0.0.10", "a.127.0.0.1.example"})
    REQUIRE_FALSE(exempts_loopback(list));
}

TEST_CASE("doctor: units as systemctl shows them") {
  const auto units = parse_units(
      "Id=nexusd.socket\nActiveState=active\nUnitFileState=enabled\n\n"
      "MainPID=42\nId=nexusd.service\nActiveState=active\nUnitFileState=\n");
  REQUIRE(units.size() == 2);
  REQUIRE(units[0].name == "nexusd.socket");
  REQUIRE(units[1].main_pid == "42");
  REQUIRE(judge_units(units, 42, true)[0].state == State::ok);
  REQUIRE(judge_units(units, std::nullopt, true)[0].state == State::ok);
  REQUIRE(judge_units(units, 43, true)[0].state == State::warning);
  REQUIRE(judge_units(units, 42, false)[0].state == State::note);
  REQUIRE(judge_units(units, 42, std::nullopt)[0].state == State::ok);
  REQUIRE(judge_units({}, 42, false)[0].state == State::ok);
  REQUIRE(judge_units({{.name = "nexusd.service", .active_state = "failed"}}, 42, true)[0].state ==
          State::failure);
}
