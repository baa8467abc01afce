#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string_view>
#include <thread>
#include <vector>

#include "common/secret.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

constexpr std::size_t kMiB = 1024 * 1024;
#ifdef __SANITIZE_ADDRESS__
// What AddressSanitizer keeps of 32 MiB that were once in use: an eighth, and more of its own.
constexpr std::size_t kKept = 8 * kMiB;
#else
constexpr std::size_t kKept = kMiB;
#endif

/// Of this process, in bytes.
std::size_t resident() {
  long pages = 0;
  auto* file = std::fopen("/proc/self/statm", "r");
  REQUIRE(file != nullptr);
  REQUIRE(std::fscanf(file, "%*d %ld", &pages) == 1);
  std::fclose(file);
  return static_cast<std::size_t>(pages * sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("memory for secrets that very many had goes back to the kernel", "[secret]") {
  for (const std::size_t size : {60, 1000, 8192, 100'000}) {
    INFO(size);
    std::vector<void*> blocks(32 * kMiB / size);
    const auto before = resident();
    for (auto& block : blocks) {
      block = secret_allocate(size);
      std::memset(block, 'x', size);
    }
    REQUIRE(resident() - before > 31 * kMiB);
    // One in the middle of them keeps what it is in, and no more.
    auto* const one = static_cast<char*>(blocks[blocks.size() / 2]);
    for (auto* block : blocks)
      if (block != one) secret_free(block, size);
    give_back_secret_memory();
    CHECK(resident() < before + kKept);
    CHECK(one[size - 1] == 'x');
    secret_free(one, size);
  }
}

TEST_CASE("what is taken off a secret's beginning leaves nothing behind its end", "[secret]") {
  SecretText text(1000, 'x');
  text += "the rest";
  const auto* const bytes = text.data();
  remove_front(text, 1000);
  CHECK(text == "the rest");
  REQUIRE(text.data() == bytes);
  const std::string_view behind(bytes + text.size(), 1000);
  CHECK(behind.find_first_not_of('\0') == std::string_view::npos);
  remove_front(text, text.size());
  CHECK(text.empty());
  CHECK(bytes[1] == '\0');
}

TEST_CASE("each secret has memory of its own, whatever is freed between", "[secret]") {
  std::set<std::pair<char*, std::size_t>> held;
  unsigned random = 1;
  const auto next = [&random](unsigned below) {
    random = random * 1'103'515'245 + 12'345;
    return (random >> 8) % below;
  };
  const auto is_whole = [](const std::pair<char*, std::size_t>& block) {
    const auto mark = static_cast<char>(block.second);
    return block.first[0] == mark && block.first[block.second - 1] == mark;
  };
  for (int round = 0; round < 20'000; ++round) {
    if (held.size() < 200 || next(2) == 0) {
      const std::size_t size = 1 + next(next(8) == 0 ? 20'000 : 700);
      auto* block = static_cast<char*>(secret_allocate(size));
      std::memset(block, static_cast<char>(size), size);
      REQUIRE(held.emplace(block, size).second);
    } else {
      const auto one = std::next(held.begin(), next(static_cast<unsigned>(held.size())));
      REQUIRE(is_whole(*one));
      secret_free(one->first, one->second);
      held.erase(one);
    }
    if (round % 1000 == 0) give_back_secret_memory();
  }
  for (const auto& block : held) {
    CHECK(is_whole(block));
    secret_free(block.first, block.second);
  }
}

TEST_CASE("memory for secrets is taken and given back by several threads at a time", "[secret]") {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([i] {
      for (int round = 0; round < 200; ++round) {
        std::vector<SecretText> texts;
        for (std::size_t size = 1; size < 9000; size = size * 3 + 1)
          texts.emplace_back(size, static_cast<char>('a' + i));
        for (const auto& text : texts)
          if (text.find_first_not_of(static_cast<char>('a' + i)) != SecretText::npos) std::abort();
        if (round % 20 == 0) give_back_secret_memory();
      }
    });
  for (auto& thread : threads) thread.join();
  SUCCEED("nobody found another one's bytes");
}
