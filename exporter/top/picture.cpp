#include "exporter/top/picture.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "collectors/base/label_text.h"
#include "collectors/base/time_words.h"
#include "exporter/top/columns.h"
#include "exporter/top/numbers.h"
#include "exporter/trend/headroom.h"

namespace kmem::top {
namespace {

using terminal::Frame;
using terminal::Style;

// poolmon's order of the key.
constexpr std::array kPoolOrder = {Pool::kNonpaged, Pool::kPaged,  Pool::kSlabUnreclaimable, Pool::kSlabReclaimable,
                                   Pool::kVmalloc,  Pool::kPercpu, Pool::kAllocinfo};

std::string percent(std::uint64_t part, std::uint64_t whole) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.0f%%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text.data();
}

/// "Commit 12.2G of 31.4G (39%)"; limit 0: none is known. A guess looks like one: "of ~31.4G".
std::string of_limit(std::string_view name, std::uint64_t bytes, std::uint64_t limit, bool guessed = false) {
  std::string out = std::string(name) + " " + short_bytes(bytes);
  if (limit > 0) out += (guessed ? " of ~" : " of ") + short_bytes(limit) + " (" + percent(bytes, limit) + ")";
  return out;
}

std::vector<std::string> head_items(const Scene& scene) {
  const Snapshot& snapshot = scene.snapshot;
  std::vector<std::string> items;
  const auto add = [&](std::string_view name, const std::optional<std::uint64_t>& bytes) {
    if (bytes) items.push_back(std::string(name) + " " + short_bytes(*bytes));
  };
  add("Memory", snapshot.physical_memory_bytes);
  add("Avail", snapshot.available_bytes);
  if (snapshot.commit_bytes)
    items.push_back(of_limit("Commit", *snapshot.commit_bytes, snapshot.commit_limit_bytes.value_or(0)));
  add("Peak", snapshot.commit_peak_bytes);
  for (const PoolTotals& pool : snapshot.pools) {
    if (!pool.bytes) continue;
    const bool guessed = pool.limit && pool.limit->source == "estimate";
    items.push_back(of_limit(pool_name(pool.pool), *pool.bytes, pool.limit ? pool.limit->bytes : 0, guessed));
    // What ends first, as it is now, where it is not the limit beside it.
    const trend::Room room = trend::smallest(trend::headrooms_of(pool, snapshot));
    if (room.known() && room.bound != trend::Bound::kPoolLimit)
      items.back() += ", " + short_bytes(static_cast<std::uint64_t>(std::max(0.0, room.amount))) + " left (" +
                      std::string(trend::bound_words(room.bound)) + ")";
  }
  if (snapshot.system_ptes_free) items.push_back("Free PTEs " + std::to_string(*snapshot.system_ptes_free));
  items.insert(items.end(), scene.ends.begin(), scene.ends.end());
  return items;
}

/// Items side by side in as few lines as hold them.
std::vector<std::string> wrapped(const std::vector<std::string>& items, std::size_t width) {
  std::vector<std::string> lines;
  for (const std::string& item : items) {
    if (!lines.empty() && lines.back().size() + 3 + item.size() <= width) lines.back() += "   " + item;
    else lines.push_back(" " + item);
  }
  return lines;
}

/// Why there are no tags, in the collectors' own words.
std::vector<std::string> reasons(const Snapshot& snapshot) {
  std::vector<std::string> out;
  if (!snapshot.tags.empty()) return out;
  for (const PartStatus& part : snapshot.parts)
    if (!part.reason.empty()) out.push_back(" no " + part.collector + ": " + base::label_text(part.reason));
  if (out.empty()) out.push_back(" the kernel lists no tags");
  return out;
}

std::string bar_text(const Scene& scene, const View& view, const RowChoice& choice, const Extent& extent, std::size_t width) {
  const std::string time = base::rfc3339(scene.snapshot.time / 1000 * 1000);
  std::string text = "  pool " + std::string(choice.pool ? pool_name(*choice.pool) : "all");
  text += "  by " + std::string(sort_word(choice.sort).word);
  if (!choice.filter.empty()) text += "  /" + choice.filter + "/";
  const std::size_t last = std::min(extent.rows, view.first_row + extent.page_rows);
  text += "  " + (extent.rows == 0 ? std::string("0") : std::to_string(view.first_row + 1) + "-" + std::to_string(last));
  text += " of " + std::to_string(extent.rows);
  const std::string head = " kmem_exporter top  " + time;
  // What is shown is worth more than the date.
  return (head.size() + text.size() <= width ? head : " top  " + time.substr(time.find('T') + 1)) + text;
}

Frame help_frame(const Scene& scene) {
  Frame frame{{" kmem_exporter top: keys", Style::kBar}, {}};
  for (const SortWord& word : kSortWords)
    frame.push_back({std::string("  ") + word.key + "            sort by " + std::string(word.help)});
  for (const char* const line :
       {"  p            pool: all, then one after the other", "  /            filter by tag or driver; Enter keeps it",
        "  Escape       no filter", "  up, down, PgUp, PgDn, Home, End   move", "  left, right  columns",
        "  space        read now", "  q            quit"})
    frame.push_back({line});
  frame.push_back({});
  frame.push_back(
      {"  In parentheses: the change since the reading before, " + std::to_string(scene.interval.count() / 1000) + " s ago."});
  frame.push_back({"  ! is called a leak by the exporter's trend, * surges now, + is watched; ~ is an estimated limit."});
  frame.push_back({"  Any key goes back."});
  return frame;
}

}  // namespace

Frame draw(const Scene& scene, const View& view, terminal::Size size, Extent& extent) {
  extent.pools.clear();
  for (const Pool pool : kPoolOrder)
    if (std::any_of(scene.rows.begin(), scene.rows.end(), [&](const UsageRow& row) { return row.pool == pool; }))
      extent.pools.push_back(pool);
  const RowChoice choice = view.effective();
  const std::vector<const UsageRow*> rows = chosen_rows(scene.rows, choice);
  ColumnOptions options;
  options.growth = choice.sort == SortBy::kGrowth;
  options.width = size.columns;
  options.first_column = view.first_column;
  options.layout = extent.layout;
  const Columns columns(rows, options);

  std::vector<std::string> head = wrapped(head_items(scene), size.columns);
  // On a very low screen rows are worth more than the head.
  head.resize(std::min(head.size(), size.rows / 3));
  const std::vector<std::string> why = reasons(scene.snapshot);
  const std::size_t around = 3 + head.size();  // bar, titles, foot
  extent.rows = rows.size();
  extent.columns = columns.count();
  extent.layout = columns.layout();
  extent.page_rows = size.rows > around ? size.rows - around : 1;
  View shown = view;
  keep_in(shown, extent);
  if (view.help) return help_frame(scene);

  Frame frame{{bar_text(scene, shown, choice, extent, size.columns), Style::kBar}};
  for (std::string& line : head) frame.push_back({std::move(line)});
  frame.push_back({columns.title(), Style::kStrong});
  for (std::size_t i = shown.first_row; i < rows.size() && i < shown.first_row + extent.page_rows; ++i)
    frame.push_back({columns.text(*rows[i]), rows[i]->mark >= Mark::kSurge ? Style::kAlarm : Style::kPlain});
  for (const std::string& line : why) frame.push_back({line});
  frame.resize(size.rows > 1 ? size.rows - 1 : 0);
  if (view.typed) frame.push_back({" filter: " + *view.typed + "_", Style::kStrong});
  else if (!scene.notice.empty()) frame.push_back({" " + scene.notice, Style::kAlarm});
  else frame.push_back({" q quit  p pool  b bytes  d diff  r rate  g growth  t tag  / filter  ? help"});
  return frame;
}

std::string print(const Scene& scene, const RowChoice& choice) {
  std::string out = " " + base::rfc3339(scene.snapshot.time / 1000 * 1000) + "\n";
  for (const std::string& line : wrapped(head_items(scene), 100)) out += line + "\n";
  for (const std::string& line : reasons(scene.snapshot)) out += line + "\n";
  const std::vector<const UsageRow*> rows = chosen_rows(scene.rows, choice);
  if (rows.empty()) return out;
  ColumnOptions options;
  options.deltas = scene.readings > 1;
  options.growth = choice.sort == SortBy::kGrowth;
  options.marks = false;  // it would move poolmon's columns
  options.width = 0;
  const Columns columns(rows, options);
  out += columns.title() + "\n";
  for (const UsageRow* row : rows) {
    const std::string text = columns.text(*row);
    out += terminal::drawable(text, text.size()) + "\n";
  }
  return out;
}

}  // namespace kmem::top
