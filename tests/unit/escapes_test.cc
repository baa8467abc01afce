#include "cli/output/escapes.h"

#include "tests/support/catch.h"

using namespace nexus::cli;

TEST_CASE("an address is a link to itself, and is seen as it is", "[escapes]") {
  const std::string url = "https://example.com/a?b=c;d#e";
  CHECK(linked(url) == "\033]8;;" + url + "\033\\" + url + "\033]8;;\033\\");
  CHECK(without_links(linked(url)) == url);
  CHECK(without_escapes("to " + linked(url) + in_color(" now", "32")) == "to " + url + " now");
  CHECK(without_links(in_color("now", "32")) == in_color("now", "32"));
}

TEST_CASE("what could break out of a link, or leads elsewhere, is none", "[escapes]") {
  for (const std::string text :
       {"https://example.com/\033\\\033]0;title\a", "https://example.com/\a",
        "https://ex ample.com", "https://example.com/\x9c", "https://münchen.example",
        "javascript:alert(1)", "file:///etc/passwd", "example.com", ""})
    CHECK(linked(text) == text);
  CHECK(linked("https://example.com/" + std::string(3000, 'a')).front() == 'h');
}

TEST_CASE("rows are counted as a terminal breaks lines", "[escapes]") {
  CHECK(rows_of("", 10) == 0);
  CHECK(rows_of("one\n", 10) == 1);
  CHECK(rows_of("one\n\nthree\n", 10) == 3);
  CHECK(rows_of("0123456789\n", 10) == 1);
  CHECK(rows_of("0123456789a\n", 10) == 2);
  CHECK(rows_of(in_color("0123456789", "31") + "\n", 10) == 1);
  CHECK(rows_of("日本日本日本\n", 10) == 2);
}
