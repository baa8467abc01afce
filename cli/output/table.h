#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/output/output.h"

namespace nexus::cli {

/// When a column is shortened, with …, where a terminal is too narrow for the table: before the
/// others, after those, or never, as what is in it is there to be typed.
enum class Shorten { first, late, never };

struct Column {
  const char* head;
  Shorten when = Shorten::late;
};

using Cells = std::vector<Words>;

/// A table that is printed as its rows come. On a terminal it fits, unless it is to be whole;
/// elsewhere nothing is shortened.
class Table {
 public:
  enum class Fit { terminal, whole };
  Table(const Output& output, std::vector<Column> columns, Fit fit = Fit::terminal);

  /// The next rows; before the first ones, the head.
  void print(const std::vector<Cells>& rows);
  bool is_empty() const { return widths_.empty(); }

 private:
  void widen_for(const std::vector<Cells>& rows);
  void print_line(const Cells& cells, const std::vector<std::size_t>& widths) const;

  const Output& output_;
  std::vector<Column> columns_;
  Fit fit_;
  std::vector<std::size_t> widths_;  ///< that the cells so far want
};

/// `lead` and the text behind it, which on a terminal goes on below itself.
void print_text(const Output& output, const std::string& lead, const Words& text);

/// Lines of a label and a value, about one thing.
using Record = std::vector<std::pair<std::string, Words>>;
void print_record(const Output& output, const Record& lines);

/// "-" where there is nothing to show.
std::string or_dash(const std::string& text);

}  // namespace nexus::cli
