// Screens and logs of poolmon, memsnap and poolsnap, !poolused and !vm, and `top`: a snapshot ends where the next one's
// header, date or metadata begins. A line is used, or is of no matter (prose, rules, prompts), or is listed: in a table
// everything with digits that is no row, outside of one what looks like a row.
#include "collectors/history/text_history.h"

#include <algorithm>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/only_time.h"
#include "collectors/history/recognise.h"
#include "collectors/history/row_text.h"

namespace kmem::history {
namespace {

constexpr std::size_t kNumbersOfARow = 3;

/// A stamp of the debugger's or memsnap's that stands behind something else in its line, and is not seen for it.
bool has_hidden_stamp(std::string_view line) {
  const std::string_view text = trimmed(line);
  for (const std::string_view stamp : {"Debug session time", "!SystemTime="})
    if (const std::size_t at = text.find(stamp); at != 0 && at != std::string_view::npos) return true;
  return false;
}

}  // namespace

/// Whether a line of no table may be a row whose header was lost.
bool TextHistory::looks_like_a_row(std::string_view text) {
  std::size_t numbers = 0;
  while (!(text = trimmed(text)).empty()) {
    const std::size_t length = std::min(text.find_first_of(" \t"), text.size());
    numbers += text.substr(0, length).find_first_not_of("0123456789") == std::string_view::npos ? 1 : 0;
    text.remove_prefix(length);
  }
  return numbers >= kNumbersOfARow;
}

/// Numbers alone, as of FILETIME, a spreadsheet's days, or a date without its year.
bool TextHistory::may_be_stamp(std::string_view text) {
  constexpr std::size_t kFewestDigits = 6, kLongest = 32;
  const auto digits = std::count_if(text.begin(), text.end(), [](char c) { return is_digit(c); });
  const bool is_version = std::count(text.begin(), text.end(), '.') > 1 && text.find_first_of(" :") == std::string_view::npos;
  return !is_version && text.size() <= kLongest && static_cast<std::size_t>(digits) >= kFewestDigits &&
         text.find_first_not_of("0123456789.,:/-@ ") == std::string_view::npos && !looks_like_a_row(text);
}

base::Result<bool> TextHistory::next(Snapshot& out) {
  while (!ready_) {
    if (!fault_.empty()) return base::Error{base::ErrorCode::kMalformed, notes_.path() + ": " + fault_};
    if (ended_) return false;
    const auto state = lines_.next();
    if (!state) return state.error();
    if (*state == LineState::kEnd) {
      const bool time_is_left = clock_.has_date() && !has_rows_ && !has_totals_;
      does_time_left_fall_ = time_is_left && clock_.falls();
      if (are_dates_below_ && time_is_left) shift(clock_.read(), {}, 0);
      finish();
      last(time_is_left);
      ended_ = true;
    } else if (*state == LineState::kTooLong) {
      notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxLineBytes) + " bytes");
      lose_row();
    } else {
      take(without_quotes(without_escapes(lines_.line(), plain_), unquoted_));
    }
  }
  out = std::move(*ready_);
  ready_.reset();
  return true;
}

// Where the end of a row was lost, the heading of the next table stands right behind it.
std::size_t TextHistory::heading_behind_row(std::string_view line) const {
  if ((table_ != Table::kPoolmon && table_ != Table::kPoolused && table_ != Table::kProcesses) || !has_rows_ || is_head_)
    return 0;
  for (const std::string_view heading : {"!LogType=", "Debug session time:"})
    if (const std::size_t at = line.find(heading); at != std::string_view::npos && !ends_table(line.substr(0, at))) return at;
  return 0;
}

void TextHistory::take(std::string_view line) {
  if (const std::size_t at = heading_behind_row(line); at > 0) {
    const std::string row(line.substr(0, at)), heading(line.substr(at));
    is_followed_ = true;
    take(row);
    is_followed_ = false;
    return take(heading);
  }
  if (trimmed(line).empty()) {
    // A row begins with a blank.
    if (!line.empty() && has_rows_ && !is_head_ && (is_followed_ || lines_.is_open_ended()) &&
        (table_ == Table::kPoolmon || table_ == Table::kPoolused)) {
      notes_.skip(lines_.number(), kCutAtEnd);
      lose_row();
    }
    blank_before_ = true;
    return;
  }
  if (first_line_.empty()) first_line_ = trimmed(line);
  if (stamp_line_ == 0 && has_hidden_stamp(line)) stamp_line_ = lines_.number();
  reason_.clear();
  if (line.front() == '!') line = as_written(line, metadata_);
  Use use = header_or_row(line);
  std::string_view text = trimmed(line);
  if (use != Use::kUsed) {
    const std::string_view clean = without_markup(line, clean_);
    if (clean.data() != line.data() && !trimmed(clean).empty()) {
      const std::string reason = std::exchange(reason_, {});
      const Use second = header_or_row(clean);
      if (second == Use::kOther) reason_ = reason;
      else use = second;
      text = trimmed(clean);
    }
  }
  if (use == Use::kUsed && (table_ == Table::kPoolmon || table_ == Table::kPoolused)) {
    // Behind a row's description.
    if (const std::string next(date_behind_row(line, date_text_)); !next.empty()) (void)date(next);
  }
  // A date's words are told better with their letters, which a row's tags lose.
  if (use != Use::kUsed && !torn_row(line, use) &&
      !date(line.find_first_of("&<|*`") == std::string_view::npos ? trimmed(line) : text))
    unused(text, use);
  titles_.assign(text);
  above_.assign(trimmed(line).substr(0, kLongestAbove));
  blank_before_ = false;
}

/// A row that is cut before its first number, and tells so by its tag and by what there is of the type.
bool TextHistory::is_cut_before_values(std::string_view line, bool is_followed) const {
  if (!line.starts_with(' ') || line.size() < 2) return false;
  const std::string_view text = trimmed(line);
  if ((lines_.is_open_ended() || is_followed) && text.size() <= kTypeColumn + kTagLength && !has_digit(text)) return true;
  const bool is_known = knows(line.substr(1, kTagLength));
  const std::string_view type = trimmed(line.substr(std::min(kTypeColumn, line.size())));
  const bool is_type = same_word(type, std::string_view("Nonp").substr(0, type.size())) ||
                       same_word(type, std::string_view("Paged").substr(0, type.size()));
  return (line.size() <= kTypeColumn || is_blank(line[kTypeColumn - 1])) && is_type && (is_known || !type.empty());
}

bool TextHistory::knows(std::string_view raw_tag) const {
  const std::string tag = tag_text(raw_tag);
  return is_exact_.contains(tag_key(Pool::kPaged, tag)) || is_exact_.contains(tag_key(Pool::kNonpaged, tag));
}

// The next date may stand right behind it.
bool TextHistory::torn_row(std::string_view line, Use use) {
  if ((table_ != Table::kPoolmon && table_ != Table::kPoolused) || !has_rows_ || is_head_) return false;
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  const std::string_view next = date_behind_row(line, date_text_);
  const std::string_view row = line.substr(0, line.size() - next.size());
  if (!next.empty() && trimmed(row).empty() && !is_date_indented_) {  // a row begins with a blank
    notes_.skip(lines_.number(), "a row is cut, and the next date stands behind it");
    lose_row();
    return false;
  }
  if (use != Use::kBroken && !is_cut_before_values(row, is_followed_ || !next.empty())) return false;
  if (use == Use::kBroken && next.empty()) return false;
  if (use != Use::kBroken) reason_ = "the row is cut before its values";
  else reason_ += ": the row is cut, and the next date stands behind it";
  if (table_ == Table::kPoolmon && use != Use::kBroken) {
    tags_.resize(1);
    tags_[0] = {};
    tags_[0].tag = tag_text(row.substr(1, kTagLength));
    const std::string_view type = trimmed(row.substr(std::min(kTypeColumn, row.size())));
    const bool is_nonpaged =
        type.empty() ? is_exact_.contains(tag_key(Pool::kNonpaged, tags_[0].tag)) : same_word(type.substr(0, 1), "N");
    tags_[0].pool = is_nonpaged ? Pool::kNonpaged : Pool::kPaged;
  }
  const std::string date_line(next);
  if (use == Use::kBroken || knows(row.substr(1, kTagLength))) {
    unused(trimmed(row), Use::kBroken);
  } else {  // a tag's beginning
    notes_.skip(lines_.number(), reason_);
    lose_row();
  }
  if (!date_line.empty()) (void)date(date_line);
  return true;
}

// What the table that is open lacks now is not gone.
void TextHistory::lose_row() {
  Gaps& gaps = (behind_blank_ ? pending_ : building_).snapshot().gaps;
  if (table_ == Table::kProcesses) gaps.processes = true;
  else if (table_ != Table::kNone && is_of_system())
    for (std::size_t pool = 0; pool < kPoolCount; ++pool) gaps.add(static_cast<Pool>(pool));
}

void TextHistory::unused(std::string_view text, Use use) {
  if (use == Use::kBroken) {
    if (const auto of = subject_of_broken(text)) notes_.skip(lines_.number(), reason_, *of);
    else notes_.skip(lines_.number(), reason_);
    lose_row();
  } else if (lines_.is_open_ended() && in_vm_ && !ends_table(text)) {
    notes_.skip(lines_.number(), "the file ends within this line");
    constexpr std::string_view kNx = "NonPagedPoolNx Usage";
    if (text.size() > 1 && same_word(text.substr(0, kNx.size()), kNx.substr(0, text.size())) && vm_parts_.nonpaged) {
      vm_parts_.is_broken = true;
      building_.totals(Pool::kNonpaged).bytes.reset();
    }
    // NOLINTNEXTLINE(bugprone-branch-clone): what begins something else is told before a host is
  } else if (ends_table(text) || (text.starts_with("Memory ") && text.find(" Commit ") != std::string_view::npos)) {
    compare_total(text);
    table_ = Table::kNone;  // the latter is the head of the next table of `top`
  } else if (const std::string_view other = begins_other(text); !other.empty() && other != other_) {
    const bool is_first = !any_dated_ && undated_count_ == 0 && !has_rows_ && !has_totals_;
    notes_.skip(lines_.number(), is_first ? std::string(other) +
                                                " begins here, below what tells no format; take away what "
                                                "stands above it, from " +
                                                in_quotes(first_line_) + " on"
                                          : other_begins(other));
    other_ = other;
    table_ = Table::kNone;
  } else if (bool is_named = false; lines_tell_hosts_ && !host_in_line(trimmed(lines_.line()), is_named).empty()) {
    table_ = Table::kNone;
  } else if (text.ends_with("Kb)")) {
    // !vm also lists processes.
  } else if (table_ == Table::kNone && !any_dated_ && undated_count_ == 0 && !clock_.has_date() && may_be_stamp(text)) {
    if (!std::exchange(told_of_stamp_, true))
      notes_.skip(lines_.number(),
                  in_quotes(text) + " may be meant as a time, which is not understood: no date above the first table");
  } else if (table_ == Table::kNone || is_head_ ? looks_like_a_row(text) : has_digit(text)) {
    notes_.skip(lines_.number(),
                table_ == Table::kNone ? "numbers, but no table's header above them" : "not a row of this table");
    if (looks_like_a_row(text) || lines_.is_open_ended()) lose_row();
  }
}

void TextHistory::metadata(std::string_view text) {
  constexpr std::string_view kLogType = "!LogType=", kComputer = "!ComputerName=";
  if (text.starts_with(kLogType)) {
    // The header stands once in a file.
    const std::string_view type = trimmed(text.substr(kLogType.size()));
    if (same_word(type, "memsnap") && columns_) open(Table::kProcesses);
    if (same_word(type, "poolsnap")) open(Table::kPoolmon);
  } else if (text.starts_with(kComputer)) {
    is_of(trimmed(text.substr(kComputer.size())));
  } else {
    clock_.take_metadata(text, lines_.number());
  }
}

// The debugger's, above the session's time; of many dumps it says nothing.
void TextHistory::machine(std::string_view name) {
  begin(has_rows_ || has_totals_);
  name = trimmed(name);
  while (!name.empty() && name.front() == '"') name.remove_prefix(1);
  while (!name.empty() && name.back() == '"') name.remove_suffix(1);
  is_of(name);
}

void TextHistory::is_of(std::string_view host) {
  std::string name = base::label_text(host);
  if (!host_.empty() && name != host_) clock_.other_host();
  host_ = std::move(name);
}

void TextHistory::see_line_above_date() {
  host_lines_.see(above_, clock_.time());
  bool is_named = false;
  if (std::string name = lines_tell_hosts_ ? host_in_line(above_, is_named) : std::string(); !name.empty())
    host_ = std::move(name);
}

bool TextHistory::date(std::string_view text) {
  const TextClock::Stamp stamp = clock_.take_date(text, lines_.number(), has_rows_ || has_totals_);
  if (stamp == TextClock::Stamp::kNone) return false;
  if (stamp == TextClock::Stamp::kBegins) {
    date_text_.assign(text);
    date_line_ = lines_.number();
    is_date_indented_ = !lines_.line().empty() && is_blank(lines_.line().front());
    begin(has_rows_ || has_totals_);
    clock_.begin();
    see_line_above_date();
    is_head_ = true;
    if (table_ == Table::kPoolused) table_ = Table::kNone;
    in_vm_ = false;
  }
  return true;
}

// Until it is known whether the rows that come are of the look above them.
void TextHistory::keep_apart(std::uint64_t line) {
  keep_behind_blank();
  behind_blank_ = true;
  behind_line_ = line;
}

// poolsnap and memsnap without dates put blank lines between their snapshots, which people also put between rows: the
// rows behind one belong to a new snapshot as soon as one of them is there already.
SnapshotBuilder& TextHistory::target(bool is_there) {
  if (blank_before_ && has_rows_ && table_ != Table::kPoolused) keep_apart(lines_.number());
  if (!behind_blank_) return building_;
  if (!is_there) return pending_;
  SnapshotBuilder rest = std::exchange(pending_, {});
  behind_blank_ = false;
  const Table table = table_;
  const PoolOwner owner = table_owner_;
  const bool of_debugger = of_debugger_;
  finish();
  building_ = std::move(rest);
  table_ = table;
  table_owner_ = owner;
  of_debugger_ = of_debugger;
  begun_line_ = behind_line_;
  return building_;
}

void TextHistory::keep_behind_blank() {
  if (std::exchange(behind_blank_, false)) (void)building_.merge(pending_.take());
}

void TextHistory::begin(bool something_is_there) {
  if (something_is_there) finish();
  if (begun_line_ == 0) begun_line_ = lines_.number();
}

void TextHistory::finish() {
  keep_behind_blank();
  tell_parts_of_pools();
  lose_half_of_nonpaged();
  Snapshot done = building_.take();
  done.system = std::exchange(of_linux_, false) ? System::kLinux : System::kWindows;
  const bool something = has_rows_ || has_totals_;
  const std::uint64_t line = std::exchange(begun_line_, 0);
  const bool of_debugger = of_debugger_;
  has_rows_ = has_system_rows_ = has_processes_ = has_totals_ = in_vm_ = has_vm_ = of_debugger_ = false;
  vm_parts_ = {};
  is_vm_torn_ahead_ = false;
  if (!something) {
    clock_.drop();
    return;
  }
  const TextClock::Reading reading = clock_.read(of_debugger);
  if (!reading.time && !reading.refused && !any_dated_ && undated_count_ == 0 && !is_probe_)
    are_dates_below_ = look_for_dates_below(options_, notes_, fault_, [this](LineReader lines, FileNotes notes) {
      return std::make_unique<TextHistory>(std::move(lines), std::move(notes), options_, true);
    });
  if (are_dates_below_) return shift(reading, std::move(done), line);
  if (reading.refused) return;  // listed where its date stands
  if (!reading.time) {
    skip_undated();
    ++undated_count_;
    begins_undated_ |= !any_dated_ && undated_count_ == 1;
    if (undated_count_ == 1) dates_below_.table_line = line;
    else if (dates_below_.doubt_line == 0) dates_below_.doubt_line = line;
    undated_ = std::move(done);
    undated_of_debugger_ = of_debugger;
    undated_line_ = line;
    return;
  }
  done.time = *reading.time;
  done.boot_time = reading.boot_time;
  if (of_debugger) any_tags_dated_ |= !done.tags.empty(), any_totals_dated_ |= !done.pools.empty();
  give(std::move(done), line);
  any_dated_ = true;
}

// memsnap's own values are bytes, of which a working set has whole pages.
void TextHistory::tell_unit_of_processes() {
  constexpr std::uint64_t kProof = 5;
  if (working_sets_ >= kProof && whole_working_sets_ == 0)
    notes_.warn(
        "memsnap's values are bytes, but no working set here is a whole number of pages of 4096: if this table was "
        "converted, the processes' pool is not of bytes, as which it is taken");
}

void TextHistory::last(bool time_is_left) {
  tell_unit_of_processes();
  if (const TextClock::Lone lone = clock_.lone(); lone.count > 0 && any_dated_)
    notes_.skip(lone.first_line, (lone.count == 1 ? std::string("1 date") : std::to_string(lone.count) + " dates") +
                                     " without a table below, the first in this line");
  const bool may_stand_below = any_dated_ && begins_undated_ && time_is_left;
  are_lines_in_reverse_ = may_stand_below && does_time_left_fall_;
  if (may_stand_below && !are_lines_in_reverse_) {
    if (dates_below_.doubt_line == 0) dates_below_.doubt_line = clock_.lone().first_line;
    dates_below_.are_proven = dates_below_.doubt_line == 0 && !clock_.any_refused() && !has_host_lines();
    dates_below_.date_line = date_line_;
  }
  if (!undated_) return;
  // `.time` is typed when the tables are there.
  const bool is_another = (any_tags_dated_ && !undated_->tags.empty()) || (any_totals_dated_ && !undated_->pools.empty());
  if (const auto session = clock_.only_session(); session && undated_of_debugger_ && !is_another) {
    undated_->time = *session->time;
    undated_->boot_time = session->boot_time;
    give(std::move(*undated_), undated_line_);
    undated_.reset();
    return;
  }
  const OnlyTime only = only_time(notes_.path(), options_);
  const bool named = only.time && !only.rule.empty();
  if (any_dated_ || clock_.any_refused() || (!only.time && !only.is_shared && only.problem.empty())) {
    skip_undated();
  } else if (!only.problem.empty()) {
    skip_undated(("no date above this table, and " + only.problem).c_str());
  } else if (named && undated_count_ > 1) {
    skip_undated("no date above this table; the file's name has one time, and the file several tables");
  } else if (!named && undated_count_ > 1) {
    skip_undated("no date above this table; the file was modified at one time, and has several tables");
  } else if (const std::uint64_t line = clock_.dateless_line(); line != 0 && !named) {
    const std::string why = "no date above this table: line " + std::to_string(line) + " tells a time alone";
    skip_undated(why.c_str());
  } else if (stamp_line_ != 0 && !named) {
    const std::string why = "no date above this table: line " + std::to_string(stamp_line_) +
                            " has a time behind something else; take away what stands before each line";
    skip_undated(why.c_str());
  } else if (only.is_shared) {
    skip_undated(kSharedTime);
  } else {
    notes_.warn(told_of(only));
    undated_->time = *only.time;
    give(std::move(*undated_), undated_line_);
    undated_.reset();
  }
}

// The time above a table is that of the one before it.
void TextHistory::shift(const TextClock::Reading& reading, Snapshot&& done, std::uint64_t line) {
  if (held_ && reading.time) {
    held_->time = *reading.time;
    any_dated_ = true;
    give(std::move(*held_), held_line_);
  } else if (held_ && !reading.refused) {
    notes_.skip(held_line_, "no date below this table");
  }
  held_ = std::move(done);
  held_line_ = line;
}

void TextHistory::skip_undated(const char* why) {
  if (!undated_) return;
  notes_.skip(undated_line_, why != nullptr ? why
                             : undated_of_debugger_
                                 ? "no time belongs to this look of the debugger alone; type .time before each"
                                 : "no date above this table, nor is it the only one of a file without dates");
  undated_.reset();
}

void TextHistory::give(Snapshot&& snapshot, std::uint64_t line) {
  host_lines_.take(snapshot);
  ready_ = std::move(snapshot);
  ready_line_ = line;
  ready_host_ = host_.empty() && lines_tell_hosts_ ? kUnnamedHost : host_;
}
// NOLINTNEXTLINE(performance-unnecessary-value-param): as the makers of every format are called
Reader make_text_history(LineReader lines, FileNotes notes, TextOptions options) {
  return std::unique_ptr<SnapshotReader>(std::make_unique<TextHistory>(std::move(lines), std::move(notes), options));
}

}  // namespace kmem::history
