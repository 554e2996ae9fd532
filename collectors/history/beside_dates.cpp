#include "collectors/history/beside_dates.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "collectors/base/clock.h"
#include "collectors/base/digit.h"
#include "collectors/history/line_reader.h"

namespace kmem::history {
namespace {

constexpr std::array kOrders = {DateOrder::kMonthDayYear, DateOrder::kDayMonthYear, DateOrder::kYearMonthDay};
constexpr base::UnixMillis kNear = 2 * base::kDayMillis;  // a log ends on the day behind its name's, zones apart

std::string words_of(DateOrder order) {
  constexpr std::array<std::string_view, 3> kWords = {"month first", "day first", "year first"};
  return std::string(kWords[static_cast<std::size_t>(order)]);
}

using base::is_digit;

/// "a2" before "a10".
bool before_by_number(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (!is_digit(a.front()) || !is_digit(b.front())) {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    const auto take = [](std::string_view& text) {
      std::size_t end = 0;
      while (end < text.size() && is_digit(text[end])) ++end;
      std::string_view number = text.substr(0, end);
      text.remove_prefix(end);
      while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
      return number;
    };
    const std::string_view one = take(a), other = take(b);
    if (one != other) return one.size() != other.size() ? one.size() < other.size() : one < other;
  }
  return a.size() < b.size();
}

/// The order in which the file's dates are near the one in its name.
std::optional<DateOrder> by_name(const DateOrderVotes& votes, const std::string& path) {
  const DateLine name = date_in_name(path, std::nullopt);
  if (!name.midnight) return std::nullopt;
  std::optional<DateOrder> found;
  for (const DateOrder order : kOrders) {
    const auto span = votes.span(order);
    if (!span || !votes.admits(order) || *name.midnight < span->first - kNear || *name.midnight > span->last + kNear) continue;
    if (found) return std::nullopt;
    found = order;
  }
  return found;
}

}  // namespace

const BesideDates::Seen& BesideDates::seen(const std::string& path) {
  const auto [found, is_new] = seen_.try_emplace(path);
  Seen& seen = found->second;
  if (!is_new) return seen;
  // What has no size is a pipe, which can be read once only.
  const auto info = files_.info(path);
  if (!info || info->size_bytes == 0) return seen;
  const auto look = look_(path);
  if (!look) return seen;
  auto file = files_.open(path, base::OpenMode::kRead);
  if (!file) return seen;
  LineReader lines(std::move(*file), look->longest_line);
  for (;;) {
    const auto state = lines.next();
    if (!state || *state == LineState::kEnd) break;
    seen.votes.see(parse_date_line(look->date_in(lines.line())), lines.number());
  }
  seen.format = look->format;
  seen.by_name = by_name(seen.votes, path);
  return seen;
}

DateRuling BesideDates::of_text(FileNotes& notes) {
  const Seen& mine = seen(notes.path());
  if (mine.format.empty()) return {};
  if (std::string both = mine.votes.contradiction(); !both.empty()) return {std::nullopt, std::move(both), true};
  if (const auto own = mine.votes.decide()) {
    if (own == DateOrder::kYearMonthDay) notes.timed_by("dates year first: read so they fit best");
    return {own};
  }
  if (mine.by_name) {
    notes.timed_by("dates " + words_of(*mine.by_name) + ", as the one in the file's name says");
    return {mine.by_name};
  }
  const Beside& others = beside(mine.format);
  std::vector<Decided> decided;
  for (const Decided& one : others.decided)
    if (mine.votes.admits(one.order)) decided.push_back(one);
  if (decided.size() > 1)
    return {std::nullopt, decided[0].path + " has dates " + words_of(decided[0].order) + ", " + decided[1].path + " " +
                              words_of(decided[1].order)};
  if (decided.size() == 1) {
    notes.timed_by("dates " + words_of(decided[0].order) + ", as in " + decided[0].path);
    return {decided[0].order};
  }
  if (!others.rising) return {};
  const std::string order = words_of(*others.rising);
  notes.warn("dates are taken as " + order + ", for only so do times rise from file to file by their names; else --date-order");
  notes.timed_by("dates " + order + ", as the files' names follow each other");
  return {others.rising};
}

const BesideDates::Beside& BesideDates::beside(const std::string& format) {
  const auto [known, is_new] = beside_.try_emplace(format);
  Beside& found = known->second;
  if (!is_new) return found;
  for (const std::string& path : paths_) {
    const Seen& one = seen(path);
    if (one.format != format) continue;
    const auto firm = one.votes.firmly();
    const auto order = firm ? firm : one.by_name;
    if (!order) continue;
    if (std::none_of(found.decided.begin(), found.decided.end(), [&](const Decided& same) { return same.order == *order; }))
      found.decided.push_back({*order, path});
  }
  if (found.decided.empty()) found.rising = rising_by_name(format);
  return found;
}

std::optional<DateOrder> BesideDates::rising_by_name(const std::string& format) {
  std::vector<std::string_view> names;
  for (const std::string& path : paths_) {
    if (seen(path).format != format) continue;
    // Logs that were rotated away count backwards.
    if (is_digit(path.back())) return std::nullopt;
    names.emplace_back(path);
  }
  std::stable_sort(names.begin(), names.end(),
                   [](std::string_view a, std::string_view b) { return before_by_number(name_in(a), name_in(b)); });
  std::optional<DateOrder> found;
  for (const DateOrder order : kOrders) {
    bool rises = names.size() > 1;
    std::optional<base::UnixMillis> last;
    for (const std::string_view name : names) {
      const DateOrderVotes& votes = seen(std::string(name)).votes;
      const auto span = votes.span(order);
      rises &= span && votes.admits(order) && (!last || span->first >= *last);
      if (span) last = span->last;
    }
    if (!rises) continue;
    if (found) return std::nullopt;
    found = order;
  }
  return found;
}

bool BesideDates::shares_modified(const std::string& path) {
  constexpr base::UnixMillis kOneCopyMs = 10'000;
  if (!modified_) {
    modified_.emplace();
    for (const std::string& one : paths_)
      if (const auto info = files_.info(one); info && names({}).is_dateless(one)) ++(*modified_)[info->modified];
  }
  const auto info = files_.info(path);
  if (!info) return false;
  std::size_t files = 0;
  for (auto near = modified_->lower_bound(info->modified - kOneCopyMs);
       near != modified_->end() && near->first <= info->modified + kOneCopyMs; ++near)
    files += near->second;
  return files > 1;
}

const FileDates& BesideDates::names(const DateOptions& options) {
  if (!names_) names_.emplace(paths_, options.order ? options.order : of_names().order);
  return *names_;
}

FileDate BesideDates::date_of_name(const std::string& path, const DateOptions& options) {
  return names(options).of(path, options);
}

DateRuling BesideDates::of_names() {
  // Files are given in the order of their letters: that times fall from one to the next proves nothing.
  DateOrderVotes votes;
  for (const std::string& path : paths_) votes.see(date_in_name(path, std::nullopt));
  DateRuling ruling;
  for (const DateOrder order : kOrders) {
    if (!votes.fits(order)) continue;
    if (ruling.order) return {};
    ruling.order = order;
  }
  return ruling;
}

}  // namespace kmem::history
