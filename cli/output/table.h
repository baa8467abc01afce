#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/output/output.h"

namespace nexus::cli {

struct Column {
  const char* head = "";
  /// To how many columns it may be shortened, with …, where a terminal is too narrow for the table;
  /// 0 for what is there to be copied, or makes no sense in parts.
  std::size_t least = 0;
};

using Cells = std::vector<Words>;

/// A table that is printed as its rows come. On a terminal it fits: long cells are shortened and,
/// where that is not enough, the cells of a row stand below each other, in full; of a few rows or,
/// where it is more, of all. Elsewhere it is printed as it is.
class Table {
 public:
  Table(const Output& output, std::vector<Column> columns);

  /// The next rows; before the first ones, the head.
  void print(const std::vector<Cells>& rows);
  bool is_empty() const { return widths_.empty(); }

 private:
  void widen_for(const std::vector<Cells>& rows);
  /// The widths as so many columns have room for them; nothing where they have not.
  std::optional<std::vector<std::size_t>> fitted(std::size_t room) const;
  /// That nothing is shortened that must not be.
  bool fits(const Cells& cells, const std::vector<std::size_t>& widths) const;
  void print_line(const Cells& cells, const std::vector<std::size_t>& widths) const;
  void print_below_each_other(const Cells& cells, std::size_t room) const;

  const Output& output_;
  std::vector<Column> columns_;
  std::vector<std::size_t> widths_;  ///< that the cells so far want
};

/// `lead` and the text behind it, which on a terminal goes on below itself.
void print_text(const Output& output, const Cells& lead, const Words& text);

/// Lines of a label and a value, about one thing.
using Record = std::vector<std::pair<std::string, Words>>;
void print_record(const Output& output, const Record& lines);

/// "-" where there is nothing to show.
std::string or_dash(const std::string& text);

}  // namespace nexus::cli
