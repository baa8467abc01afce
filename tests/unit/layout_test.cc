#include "common/layout.h"

#include "tests/support/catch.h"

using namespace nexus;

TEST_CASE("text takes the columns that a terminal shows it in", "[layout]") {
  CHECK(columns_of("") == 0);
  CHECK(columns_of("name") == 4);
  CHECK(columns_of("müller") == 6);
  CHECK(columns_of("mu\u0308ller") == 6);
  CHECK(columns_of("日本") == 4);
  CHECK(columns_of("한국어") == 6);
  CHECK(columns_of("ที่") == 1);
  CHECK(columns_of("ｗｉｄｅ") == 8);
  for (const char* picture : {"🙂", "🚀", "🫖", "☕", "✅", "⚡", "🇩🇪"})
    CHECK(columns_of(picture) == 2);
  for (const char* sign : {"©", "→", "…", "€", "✓"}) CHECK(columns_of(sign) == 1);
  CHECK(columns_of("a\xff\xfe") == 3);
}

TEST_CASE("what does not fit is cut between letters, and says so", "[layout]") {
  CHECK(cut_to("ann@example.com", 15) == "ann@example.com");
  CHECK(cut_to("ann@example.com", 8) == "ann@exa…");
  CHECK(cut_to("日本語", 5) == "日本…");
  CHECK(cut_to("日本語", 4) == "日…");
  CHECK(cut_to("müller", 3) == "mü…");
  CHECK(cut_to("abc", 1) == "…");
  CHECK(cut_to("abc", 0).empty());
}

TEST_CASE("lines break between words; a word that is there to be copied stays whole", "[layout]") {
  using Lines = std::vector<std::string>;
  CHECK(wrapped("", 10) == Lines{""});
  CHECK(wrapped("one two three", 7) == Lines{"one two", "three"});
  CHECK(wrapped("one two three", 6) == Lines{"one", "two", "three"});
  CHECK(wrapped("a https://example.com/long b", 10) == Lines{"a", "https://example.com/long", "b"});
  CHECK(wrapped("one\n  two   three", 80) == Lines{"one", "  two   three"});
  CHECK(wrapped("one two\n  three", 4) == Lines{"one", "two", "three"});
  CHECK(wrapped("日本 語", 4) == Lines{"日本", "語"});
}
