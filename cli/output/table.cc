#include "cli/output/table.h"

#include <algorithm>
#include <numeric>

#include "common/layout.h"

namespace nexus::cli {
namespace {

constexpr std::size_t kGap = 2;
/// A column that yields stays readable, as long as there are others to shorten.
constexpr std::size_t kReadable = 8;
constexpr std::size_t kLeast = 4;
/// In less room than this a text is left to the terminal.
constexpr std::size_t kLeastText = 20;

/// Takes from the widest of them, column by column, until `excess` is gone or none is wider than
/// `least`.
void shorten(std::vector<std::size_t*> widths, std::size_t least, std::size_t& excess) {
  while (excess > 0 && !widths.empty()) {
    auto* widest = *std::max_element(widths.begin(), widths.end(),
                                     [](const auto* a, const auto* b) { return *a < *b; });
    if (*widest <= least) return;
    --*widest;
    --excess;
  }
}

/// The widths as a terminal of so many columns has room for them.
std::vector<std::size_t> fitted(std::vector<std::size_t> widths, const std::vector<Column>& columns,
                                std::size_t room) {
  const auto whole = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
  auto excess = whole > room ? whole - room : 0;
  std::vector<std::size_t*> yielding;
  std::vector<std::size_t*> all;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (columns[i].when != Shorten::never) all.push_back(&widths[i]);
    if (columns[i].when == Shorten::first) yielding.push_back(&widths[i]);
  }
  shorten(yielding, kReadable, excess);
  shorten(all, kLeast, excess);
  return widths;
}

}  // namespace

Table::Table(const Output& output, std::vector<Column> columns, Fit fit)
    : output_(output), columns_(std::move(columns)), fit_(fit) {}

void Table::print(const std::vector<Cells>& rows) {
  const bool first = is_empty();
  widen_for(rows);
  const auto room = output_.stdout_columns();
  const auto widths = room && fit_ == Fit::terminal ? fitted(widths_, columns_, *room) : widths_;
  if (first) {
    Cells heads;
    for (const auto& column : columns_) heads.emplace_back(column.head);
    print_line(heads, widths);
  }
  for (const auto& row : rows) print_line(row, widths);
}

void Table::widen_for(const std::vector<Cells>& rows) {
  if (widths_.empty())
    for (const auto& column : columns_) widths_.push_back(columns_of(column.head));
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths_[i] = std::max(widths_[i], columns_of(row[i].text()));
}

void Table::print_line(const Cells& cells, const std::vector<std::size_t>& widths) const {
  Cells line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto text = cut_to(cells[i].text(), widths[i]);
    line.emplace_back(text, cells[i].color());
    if (i + 1 < cells.size())
      line.emplace_back(std::string(widths[i] - columns_of(text) + kGap, ' '));
  }
  output_.line(line);
}

void print_text(const Output& output, const std::string& lead, const Words& text) {
  const auto indent = columns_of(lead);
  const auto room = output.stdout_columns();
  const bool breaks = room && *room >= indent + kLeastText;
  const auto lines =
      breaks ? wrapped(text.text(), *room - indent) : std::vector<std::string>{text.text()};
  for (std::size_t i = 0; i < lines.size(); ++i)
    output.line({i == 0 ? lead : std::string(indent, ' '), Words(lines[i], text.color())});
}

void print_record(const Output& output, const Record& lines) {
  std::size_t labels = 0;
  for (const auto& [label, value] : lines) labels = std::max(labels, columns_of(label));
  for (const auto& [label, value] : lines)
    print_text(output, label + std::string(labels - columns_of(label) + kGap, ' '), value);
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

}  // namespace nexus::cli
