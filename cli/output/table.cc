#include "cli/output/table.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "cli/output/wrapping.h"
#include "common/layout.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr std::size_t kGap = 2;
/// Of so many rows one may stand outside of the table.
constexpr std::size_t kMostOutside = 8;
/// Of what stands below the first cell.
constexpr std::size_t kIndent = 4;

/// What a cell says where no head stands above it: "expires in 59m".
std::string label_of(const Column& column) {
  return lower(column.head) + " ";
}

}  // namespace

Table::Table(const Output& output, std::vector<Column> columns)
    : output_(output), columns_(std::move(columns)) {}

void Table::print(const std::vector<Cells>& rows) {
  const bool first = is_empty();
  widen_for(rows);
  const auto room = output_.stdout_columns();
  const auto widths = room ? fitted(*room) : widths_;
  const auto is_outside = [&](const Cells& row) { return !widths || !fits(row, *widths); };
  const auto outside = std::count_if(rows.begin(), rows.end(), is_outside);
  const bool is_table = static_cast<std::size_t>(outside) * kMostOutside <= rows.size();
  if (is_table && first) {
    Cells heads;
    for (const auto& column : columns_) heads.emplace_back(column.head);
    print_line(heads, *widths);
  }
  for (const auto& row : rows)
    is_table && !is_outside(row) ? print_line(row, *widths) : print_below_each_other(row, *room);
}

std::optional<std::vector<std::size_t>> Table::fitted(std::size_t room) const {
  auto widths = widths_;
  const auto shorten = [&](std::size_t excess, const auto& least_of) {
    for (; excess > 0; --excess) {
      std::size_t* widest = nullptr;
      for (std::size_t i = 0; i < widths.size(); ++i)
        if (widths[i] > least_of(columns_[i]) && (!widest || widths[i] > *widest))
          widest = &widths[i];
      if (!widest) break;
      --*widest;
    }
    return excess;
  };
  const auto whole = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
  const auto left = shorten(whole > room ? whole - room : 0, [](const Column& column) {
    return column.least > 0 ? column.least : std::string::npos;
  });
  // For a few cells that make up the rest, the others need not do without a table.
  const auto too_much = shorten(left, [](const Column& column) {
    return column.least > 0 ? std::string::npos : columns_of(column.head);
  });
  return too_much > 0 ? std::nullopt : std::optional(std::move(widths));
}

bool Table::fits(const Cells& cells, const std::vector<std::size_t>& widths) const {
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (columns_[i].least == 0 && columns_of(cells[i].text()) > widths[i]) return false;
  return true;
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

void Table::print_below_each_other(const Cells& cells, std::size_t room) const {
  Cells line;
  std::size_t used = 0;
  const auto end_line = [&] {
    if (!line.empty()) output_.line(line);
    line.clear();
  };
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0 && cells[i].text() == or_dash("")) continue;
    const auto label = i == 0 ? "" : label_of(columns_[i]);
    const auto width = columns_of(label) + columns_of(cells[i].text());
    if (!line.empty() && used + kGap + width > room) end_line();
    if (i > 0 && line.empty() && kIndent + width > room) {
      print_text(output_, {std::string(kIndent, ' ') + label}, cells[i]);
      continue;
    }
    const std::string before(i == 0 ? 0 : line.empty() ? kIndent : kGap, ' ');
    used = (line.empty() ? 0 : used) + before.size() + width;
    line.insert(line.end(), {before + label, cells[i]});
  }
  end_line();
}

void print_text(const Output& output, const Cells& lead, const Words& text) {
  std::string before;
  for (const auto& words : lead) before += words.text();
  const auto styled = [&](const std::string& part) {
    return text.is_address() ? Words::address(part) : Words(part, text.color());
  };
  bool first = true;
  for (const auto& line : laid_out(before, text.text(), output.stdout_columns())) {
    Cells cells = std::exchange(first, false) ? lead : Cells{line.lead};
    cells.push_back(styled(line.text));
    output.line(cells);
  }
}

void print_record(const Output& output, const Record& lines) {
  std::size_t labels = 0;
  for (const auto& [label, value] : lines) labels = std::max(labels, columns_of(label));
  for (const auto& [label, value] : lines)
    print_text(output, {label + std::string(labels - columns_of(label) + kGap, ' ')}, value);
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

}  // namespace nexus::cli
