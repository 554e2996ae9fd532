#include "exporter/top/columns.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "exporter/top/numbers.h"

namespace kmem::top {

struct Columns::Column {
  std::string_view title;
  bool right = true;
  bool (*wanted)(const ColumnOptions&, const std::vector<const UsageRow*>&) = nullptr;  // null = always
  std::string (*text)(const UsageRow&, bool exact) = nullptr;
};

namespace {

using Rows = std::vector<const UsageRow*>;

constexpr std::size_t kWidestTag = 40, kNarrowTag = 20;
constexpr std::size_t kNarrowText = 10;  // of a driver that is cut

template <typename Number>
std::string number(Number value, bool exact) {
  return exact ? std::to_string(value) : short_count(value);
}
template <typename Number>
std::string size(Number value, bool exact) {
  return exact ? std::to_string(value) : short_bytes(value);
}

std::string change(const std::optional<std::int64_t>& delta, bool exact) {
  std::string out = delta ? number(*delta, exact) : "-";
  out.insert(0, std::string(4 - std::min<std::size_t>(4, out.size()), ' '));
  return "(" + out + ")";
}

template <auto Wanted>
bool any(const ColumnOptions&, const Rows& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const UsageRow* row) { return Wanted(*row); });
}
constexpr auto is_counted = [](const UsageRow& row) { return row.counted; };
constexpr auto has_driver = [](const UsageRow& row) { return !row.driver.empty(); };
constexpr auto has_trend = [](const UsageRow& row) { return !row.trend.empty(); };

bool with_deltas(const ColumnOptions& options, const Rows&) { return options.deltas; }
bool counted_with_deltas(const ColumnOptions& options, const Rows& rows) {
  return options.deltas && any<is_counted>(options, rows);
}
// Where allocations are counted, their changes say more.
bool uncounted_with_deltas(const ColumnOptions& options, const Rows& rows) {
  return options.deltas && !any<is_counted>(options, rows);
}

using Column = Columns::Column;
const std::array kColumns = std::to_array<Column>({
    {"Tag", false, nullptr, [](const UsageRow& row, bool) { return row.tag; }},
    {"Type", false, nullptr, [](const UsageRow& row, bool) { return std::string(type_word(row.pool)); }},
    {"Allocs", true, any<is_counted>,
     [](const UsageRow& row, bool exact) { return row.counted ? number(row.allocations, exact) : "-"; }},
    {"", true, counted_with_deltas,
     [](const UsageRow& row, bool exact) { return change(row.allocations_delta, exact); }},
    {"Frees", true, any<is_counted>,
     [](const UsageRow& row, bool exact) { return row.counted ? number(row.frees, exact) : "-"; }},
    {"", true, counted_with_deltas, [](const UsageRow& row, bool exact) { return change(row.frees_delta, exact); }},
    {"Diff", true, nullptr,
     [](const UsageRow& row, bool exact) { return row.has_outstanding ? number(row.outstanding, exact) : "-"; }},
    {"", true, uncounted_with_deltas,
     [](const UsageRow& row, bool exact) { return change(row.outstanding_delta, exact); }},
    {"Bytes", true, nullptr, [](const UsageRow& row, bool exact) { return size(row.bytes, exact); }},
    {"", true, with_deltas,
     [](const UsageRow& row, bool exact) {
       if (exact || !row.bytes_delta) return change(row.bytes_delta, exact);
       const std::string text = short_bytes(*row.bytes_delta);
       return "(" + std::string(4 - std::min<std::size_t>(4, text.size()), ' ') + text + ")";
     }},
    {"Per Alloc", true, nullptr,
     [](const UsageRow& row, bool exact) { return size(row.bytes_per_allocation(), exact); }},
    {"Growth", true, [](const ColumnOptions& options, const Rows&) { return options.growth; },
     [](const UsageRow& row, bool exact) { return size(row.growth_bytes, exact); }},
    {"Driver", false, any<has_driver>,
     [](const UsageRow& row, bool) { return row.driver.empty() ? "" : "[" + row.driver + "]"; }},
    {"Trend", false, any<has_trend>, [](const UsageRow& row, bool) { return row.trend; }},
});
const Column* const kTag = &kColumns[0];
const Column* const kDriver = &kColumns[kColumns.size() - 2];
// Missed least, where without them all else fits.
const std::array<const Column*, 2> kGiveWay = {&kColumns[kColumns.size() - 4], &kColumns[5]};

std::string cell(std::string_view text, std::size_t width, bool right) {
  if (text.size() > width) return std::string(text.substr(0, width - 1)) + "~";
  const std::string blanks(width - text.size(), ' ');
  return right ? blanks + std::string(text) : std::string(text) + blanks;
}

std::vector<std::size_t> wanted_widths(const std::vector<const Column*>& columns, const Rows& rows, bool exact,
                                       std::size_t widest_tag) {
  std::vector<std::size_t> widths;
  for (const Column* column : columns) {
    std::size_t width = std::max<std::size_t>(column->title.size(), column == kTag ? 4 : 5);
    for (const UsageRow* row : rows) width = std::max(width, column->text(*row, exact).size());
    widths.push_back(column == kTag ? std::min(width, widest_tag) : width);
  }
  return widths;
}

std::size_t total(const std::vector<std::size_t>& widths) {
  std::size_t sum = 0;
  for (const std::size_t width : widths) sum += width == 0 ? 0 : width + 1;
  return sum;
}

}  // namespace

std::string_view type_word(Pool pool) {
  static constexpr std::array<std::string_view, kPoolCount> kWords = {"Paged", "Nonp",  "Recl", "Unrec",
                                                                      "Vmall", "Prcpu", "Alloc"};
  return kWords[static_cast<std::size_t>(pool)];
}

Columns::Columns(const Rows& rows, const ColumnOptions& options) : options_(options) {
  for (const Column& column : kColumns)
    if (column.wanted == nullptr || column.wanted(options, rows)) columns_.push_back(&column);
  const auto fit = [&](bool exact, std::size_t widest_tag) {
    layout_ = {exact, wanted_widths(columns_, rows, exact, widest_tag)};
    const Layout& before = options.layout;
    if (before.exact == exact && before.widths.size() == layout_.widths.size())
      for (std::size_t i = 0; i < layout_.widths.size(); ++i) layout_.widths[i] = std::max(layout_.widths[i], before.widths[i]);
    widths_ = layout_.widths;
  };
  if (options.width == 0) {
    fit(true, static_cast<std::size_t>(-1));
    return;
  }
  fit(true, kWidestTag);
  if (total(widths_) > options.width || !options.layout.exact) fit(false, kNarrowTag);
  for (std::size_t i = 2; i < columns_.size() && i < 2 + options.first_column; ++i) widths_[i] = 0;
  // Drivers give way to what stands behind them.
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i] == kDriver && widths_[i] > kNarrowText && total(widths_) > options.width)
      widths_[i] -= std::min(widths_[i] - kNarrowText, total(widths_) - options.width);
  std::vector<std::size_t> without = widths_;
  for (const Column* const column : kGiveWay) {
    for (std::size_t i = 2; i < columns_.size(); ++i)
      if (columns_[i] == column && total(without) > options.width) without[i] = 0;
  }
  if (total(without) <= options.width) widths_ = std::move(without);
  for (std::size_t i = columns_.size(); i-- > 2 && total(widths_) > options.width;) widths_[i] = 0;
}

std::string Columns::line(const std::vector<std::string>& cells) const {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (widths_[i] > 0) out += " " + cell(cells[i], widths_[i], columns_[i]->right);
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string Columns::title() const {
  std::vector<std::string> cells;
  for (const Column* column : columns_) cells.emplace_back(column->title);
  return line(cells);
}

std::string Columns::text(const UsageRow& row) const {
  std::vector<std::string> cells;
  for (const Column* column : columns_) cells.push_back(column->text(row, layout_.exact));
  std::string out = line(cells);
  if (options_.marks && row.mark != Mark::kNone) out[0] = row.mark == Mark::kLeak ? '!' : row.mark == Mark::kSurge ? '*' : '+';
  return out;
}

}  // namespace kmem::top
