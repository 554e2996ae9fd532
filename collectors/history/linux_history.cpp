// What a shell loop writes on Linux: a date, then any of /proc/slabinfo, meminfo, vmallocinfo, allocinfo, `slabtop -o`,
// `vmstat -m`, in any order; `uptime`, /proc/uptime or btime give the boot. A snapshot ends where the next date stands.
// The files of /proc go through the live kernel's parsers, each row first alone, so that a broken one is named.
#include "collectors/history/linux_history.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/recognise.h"
#include "collectors/history/row_text.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::int64_t kSameBootMillis = 150'000;  // uptime tells minutes

UnixMillis in_utc(std::optional<Zone> zone, UnixMillis local) {
  return local - std::int64_t{minutes_east(zone.value_or(Zone{}), local)} * 60'000;
}

/// As `uptime -s` writes it.
bool is_of_uptime(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00 00:00:00";
  return text.size() == kForm.size() && std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
           return form == '0' ? c >= '0' && c <= '9' : c == form;
         });
}

}  // namespace

base::Result<bool> LinuxHistory::next(Snapshot& out) {
  while (!ready_) {
    if (!fault_.empty()) return base::Error{base::ErrorCode::kMalformed, notes_.path() + ": " + fault_};
    if (ended_) return false;
    const auto state = lines_.next();
    if (!state) return state.error();
    if (*state == LineState::kEnd) {
      const bool is_date_left = time_ && seen_ == 0;
      are_lines_in_reverse_ = is_date_left && begins_undated_ && last_given_ && *time_ < *last_given_;
      if (is_date_left && begins_undated_ && any_dated_ && !are_lines_in_reverse_) {
        dates_below_.date_line = date_line_;
        dates_below_.are_proven = dates_below_.doubt_line == 0 && !is_any_refused_ && !has_host_lines();
      }
      finish(true);
      ended_ = true;
      if (undated_ == 1 && !any_dated_ && only_ && !is_any_refused_)
        if (const auto time = time_of_only_table(options_, notes_)) give(std::move(*only_), *time, only_uptime_);
      if ((undated_ > 0 || (told_of_headless_ && !is_any_used_)) && !any_dated_) return nothing_dated();
    } else if (*state == LineState::kTooLong) {
      notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxLineBytes) + " bytes");
      lose_row();
    } else {
      take(as_written(without_escapes(lines_.line(), plain_), written_));
      above_ = lines_.line().substr(0, kLongestAbove);
    }
  }
  out = std::move(*ready_);
  ready_.reset();
  line_ = ready_line_;
  return true;
}

void LinuxHistory::take(std::string_view line) {
  if (std::string whole = whole_meminfo_row(line); !whole.empty()) {
    mended_ = std::move(whole);
    line = mended_;
  }
  const std::string_view text = trimmed(line);
  if (const std::string_view next = date_behind_row(text, date_text_);
      table_ != LinuxTable::kNone && !next.empty() && !are_words(text.substr(0, text.size() - next.size()))) {
    const std::string date_line(next);
    torn_ = text.substr(0, text.size() - next.size());
    refuse("the row may be cut, for the next date stands right behind it");
    torn_.clear();
    (void)date(date_line);
    return;
  }
  const LinuxTable begins = begins_table(line);
  if (begins != LinuxTable::kNone && !goes_on(begins, text)) {
    begin(begins);
    row(line);
    return;
  }
  if (table_ != LinuxTable::kNone && belongs_to(table_, line) && !is_stamp(text)) {
    row(line);
    return;
  }
  if (text.empty() || boot(text)) return;
  if (const std::string_view other = begins == LinuxTable::kNone ? begins_other(text) : std::string_view(); !other.empty()) {
    if (other != other_) notes_.skip(lines_.number(), other_begins(other));
    other_ = other;
    close();
    return;
  }
  const auto before = time_;
  const bool ends_look = seen_ != 0;
  if (date(text)) {
    other_ = {};
    if (time_ && (time_ != before || ends_look)) see_line_above_date();
    return;
  }
  if (bool is_named = false; options_.lines_tell_hosts && !host_in_line(text, is_named).empty()) return close();
  if (is_heading_line(text)) return;
  if (table_ == LinuxTable::kNone && other_.empty() && is_headless_row(text) && !std::exchange(told_of_headless_, true))
    notes_.skip(lines_.number(), "numbers behind a name, but no table's heading above them; such rows are passed over");
  if (table_ == LinuxTable::kNone && names_meminfo_row(text))
    notes_.skip(lines_.number(), "not a row of " + std::string(table_name(LinuxTable::kMeminfo)));
  if (table_ == LinuxTable::kNone && other_.empty() && base::is_digit(text.front()) && text.find(" func:") < text.size()) {
    notes_.skip(lines_.number(), "a row of /proc/allocinfo, but not its heading above it");
    owed_.add(Pool::kAllocinfo);
    return;
  }
  if (table_ == LinuxTable::kNone && other_.empty() && text.find("+0x") < text.find("/0x") && text.find("/0x") < text.size()) {
    notes_.skip(lines_.number(), "a row of /proc/vmallocinfo without its addresses");
    owed_callers_.push_back(vmalloc_caller(text));
    owed_.add(Pool::kVmalloc);
    return;
  }
  TagUsage slabtop;
  if (table_ == LinuxTable::kNone && other_.empty() && parse_slabtop_row(text, slabtop)) {
    notes_.skip(lines_.number(), "a row of slabtop, but not its heading above it", {{}, slabtop.pool, slabtop.tag});
    owed_.add(Pool::kSlabReclaimable);
    owed_.add(Pool::kSlabUnreclaimable);
  }
  // Cut behind its name.
  const bool is_name_alone = table_ == LinuxTable::kVmstat && rows_ > 1 &&
                             text.find_first_of(" \t") == std::string_view::npos && (text.front() | 0x20) >= 'a' &&
                             (text.front() | 0x20) <= 'z';
  const bool is_field_alone = table_ == LinuxTable::kMeminfo && text.ends_with(':') && text.find(' ') == std::string_view::npos;
  const bool has_figures = table_ != LinuxTable::kNone && has_digit(text);
  const bool is_prose = (table_ == LinuxTable::kAllocinfo || table_ == LinuxTable::kVmallocinfo) && is_prose_with_time(text);
  const auto no_row = [this] { return "not a row of " + std::string(table_name(table_)); };
  if (is_name_alone) refuse();
  else if (is_prose) notes_.skip(lines_.number(), no_row());
  else if (is_field_alone || has_figures) refuse_line(no_row());
}

void LinuxHistory::see_line_above_date() {
  host_lines_.see(above_, time_);
  bool is_named = false;
  if (std::string name = options_.lines_tell_hosts ? host_in_line(above_, is_named) : std::string(); !name.empty())
    host_ = std::move(name);
}

// The table that is open goes on with this line: its second heading, or a row like its first.
bool LinuxHistory::goes_on(LinuxTable begins, std::string_view text) const {
  if (begins != table_) return false;
  if (begins == LinuxTable::kSlabtop) return text.starts_with("OBJS");
  if (begins == LinuxTable::kVmstat) return true;
  if (begins == LinuxTable::kAllocinfo) return text.starts_with('#');
  if (begins == LinuxTable::kMeminfo) return !text.starts_with("MemTotal:") || rows_ == 0;
  // Its first area again is the next look, whose date was lost.
  return begins == LinuxTable::kVmallocinfo &&
         (first_area_.empty() || last_area_ == first_area_ || area_in(text) != first_area_);
}

/// A row of vmallocinfo; empty where the kernel hides all addresses behind zeros, so that areas may look the same. Addresses
/// rise in older kernels only: newer ones tell areas node by node.
std::string_view LinuxHistory::area_in(std::string_view text) {
  const std::string_view range = text.substr(0, text.find(' '));
  return range.find_first_not_of("0x-") == std::string_view::npos ? std::string_view() : text;
}

/// "Log closed": several, and no number, which a row that is cut has behind its name.
bool LinuxHistory::are_words(std::string_view text) {
  return !has_digit(text) && trimmed(text).find_first_of(" \t") != std::string_view::npos;
}

/// "On 2026-11-18 09:00:00 bob wrote:", which no row of paths or addresses is.
bool LinuxHistory::is_prose_with_time(std::string_view text) {
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  const std::size_t word = text.find(' ');
  if (word == std::string_view::npos || !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(word), is_letter))
    return false;
  for (std::size_t i = 1; i + 2 < text.size(); ++i)
    if (text[i] == ':' && base::is_digit(text[i - 1]) && base::is_digit(text[i + 1]) && base::is_digit(text[i + 2]))
      return true;
  return false;
}

/// Of slabinfo or of vmstat -m: a name and four numbers at least.
bool LinuxHistory::is_headless_row(std::string_view text) {
  constexpr std::size_t kNumbers = 4;
  const std::string_view name = text.substr(0, text.find_first_of(" \t"));
  return !name.empty() && !name.ends_with(':') && name.find_first_not_of("0123456789.,:") != std::string_view::npos &&
         has_numbers_behind(text.substr(name.size()), kNumbers);
}

// slabtop's and vmstat's rows have numbers as dates do.
bool LinuxHistory::is_stamp(std::string_view text) const {
  if (table_ == LinuxTable::kMeminfo) return false;
  if (parse_linux_uptime(text) || parse_unix_line(text)) return true;
  TagUsage row;
  if (table_ == LinuxTable::kSlabtop && parse_slabtop_row(text, row)) return false;
  if (table_ == LinuxTable::kVmstat && parse_vmstat_row(text, row)) return false;
  const DateLine found = parse_date_line(text);
  return found.midnight || found.yearless || !found.problem.empty();
}

bool LinuxHistory::boot(std::string_view text) {
  if (const auto btime = parse_btime(text)) {
    boot_ = *btime;
    return true;
  }
  const auto uptime = parse_linux_uptime(text);
  if (uptime) uptime_ = *uptime;
  if (uptime || is_of_installation(text)) return true;
  // As systeminfo tells it, in any country's order: it is no stamp of a table, whether it is understood or not.
  const auto words = boot_words(text);
  if (!words || words->empty()) return false;
  const DateLine found = dates_.parse(*words);
  if (found.midnight && found.time_of_day) boot_ = in_utc(found.zone, *found.midnight + *found.time_of_day);
  else notes_.skip(lines_.number(), found.problem.empty() ? "the time of the boot is not understood" : found.problem);
  return true;
}

bool LinuxHistory::date(std::string_view text) {
  if (const auto unix_time = parse_unix_line(text)) {
    stamp(*unix_time, "lines of Unix seconds");
    return true;
  }
  DateLine found = dates_.parse(text);
  if (found.empty() && may_be_date(text) && (!time_ || seen_ != 0))
    found.problem = in_quotes(text) + " looks like a date, but is not understood";
  is_any_refused_ |= !found.problem.empty();
  if (!found.problem.empty()) {
    finish();
    notes_.skip(lines_.number(), found.problem + "; the tables below are passed over");
    is_refused_ = true;
    return true;
  }
  if (found.yearless && found.problem.empty()) {
    const auto base = midnight_ ? midnight_ : last_local_;
    constexpr UnixMillis kFirstFile = 725'846'400'000;  // 1993
    if (base) found.midnight = first_day_after(found, *base);
    else if (options_.modified && *options_.modified >= kFirstFile) found.midnight = last_day_before(found, *options_.modified);
    if (!found.midnight) {
      finish();
      notes_.skip(lines_.number(),
                  in_quotes(text) + " has no year, and nothing above it tells it; the tables below are passed over");
      return is_refused_ = true;
    }
    if (!std::exchange(told_of_years_, true))
      notes_.warn(base ? "days without a year follow the one above them"
                       : "days without a year are the last ones before the file was modified");
  }
  const bool completes = midnight_ && !has_time_of_day_ && seen_ == 0;
  if (found.empty() || (!found.midnight && !completes)) return false;
  if (found.midnight) {
    const auto earlier = time_;
    const bool nothing_between = seen_ == 0;
    const UnixMillis time = in_utc(found.zone, *found.midnight + found.time_of_day.value_or(0));
    if (earlier && nothing_between && zone_ && is_bare_ && lines_.number() == date_line_ + 1 && is_same_moment(*earlier, found))
      return true;
    if (earlier && nothing_between && found.time_of_day && time < *earlier) {
      // `date; uptime -s`: the boot stands below the time.
      if (boot_words(text) || (is_bare_ && lines_.number() == date_line_ + 1 && is_of_uptime(text))) {
        boot_ = time;
        return true;
      }
      const SecondDate judged = judge_earlier(found, is_bare_, !last_given_ || time > *last_given_);
      if (judged == SecondDate::kIsOther) notes_.skip(lines_.number(), kEarlierThanAbove);
      if (judged == SecondDate::kIsOther) return true;
      if (judged == SecondDate::kDoubtful) {
        finish();
        notes_.skip(lines_.number(), earlier_than_above(date_line_) + "; it is passed over");
        return is_refused_ = true;
      }
      notes_.skip(date_line_, "a date without a table below");
    }
    constexpr std::int64_t kOneLookMillis = 60'000;
    if (earlier && nothing_between && std::abs(time - *earlier) > kOneLookMillis && dates_below_.doubt_line == 0)
      dates_below_.doubt_line = date_line_;
    finish();
    is_refused_ = false;
    is_bare_ = is_bare_stamp(text, found);
    date_line_ = lines_.number();
    midnight_ = found.midnight;
    zone_.reset();
    has_time_of_day_ = false;
  }
  if (found.zone) zone_ = found.zone;
  has_time_of_day_ |= found.time_of_day.has_value();
  time_ = in_utc(zone_, *midnight_ + found.time_of_day.value_or(0));
  last_local_ = *midnight_ + found.time_of_day.value_or(0);
  date_text_.assign(text);
  notes_.timed_by("date lines above the tables");
  return true;
}

void LinuxHistory::stamp(UnixMillis time, std::string_view rule) {
  finish();
  is_refused_ = false;
  time_ = time;
  zone_ = Zone{};
  is_bare_ = true;
  date_line_ = lines_.number();
  notes_.timed_by(rule);
}

void LinuxHistory::finish(bool is_end) {
  close();
  given_host_ = host_;
  Snapshot done = building_.take();
  if (time_ && seen_ != 0) {
    done.gaps.pools |= owed_.pools;
    owed_ = {};
  }
  // A table none of whose rows could be used is no snapshot: the rows are listed.
  const bool is_used = std::exchange(is_used_, false);
  const bool something = std::exchange(seen_, 0) != 0 && is_used;
  is_any_used_ |= is_used;
  auto time = std::exchange(time_, std::nullopt);
  const auto uptime = std::exchange(uptime_, std::nullopt);
  const char* const fault = time && midnight_ && zone_ ? fault_at(*zone_, *last_local_) : nullptr;
  if (time && midnight_ && zone_ && something) {
    time = zone_clock_.utc(*zone_, *last_local_);
    if (zone_clock_.is_doubtful() && !std::exchange(told_of_doubled_hour_, true)) notes_.warn(kDoubledHourNote);
  }
  const bool local = time && !zone_, lacks_time = time && midnight_ && !has_time_of_day_;
  midnight_.reset();
  zone_.reset();
  has_time_of_day_ = false;
  if (!something && !(is_end && held_ && time)) return;
  if (fault != nullptr) return notes_.skip(date_line_, std::string(fault) + "; the tables below are passed over");
  if (!time && !is_refused_ && !any_dated_ && undated_ == 0 && !is_probe_)
    are_dates_below_ = look_for_dates_below(options_, notes_, fault_, [this](LineReader lines, FileNotes notes) {
      return std::make_unique<LinuxHistory>(std::move(lines), std::move(notes), options_, true);
    });
  if (are_dates_below_ && (!time || (lacks_time && have_others_times_))) {
    if (held_) notes_.skip(held_line_, time ? kDateLostItsTime : "no date below this table");
    return hold(std::move(done));
  }
  if (!time) {
    if (is_refused_) return;  // listed where its date stands
    if (undated_ == 0) first_undated_line_ = dates_below_.table_line = begun_line_;
    else if (dates_below_.doubt_line == 0) dates_below_.doubt_line = begun_line_;
    begins_undated_ |= !any_dated_;
    const bool is_only = ++undated_ == 1 && !any_dated_;
    only_.reset();
    if (any_dated_) {
      notes_.skip(begun_line_, "no date above this table");
      // They may be the ones that the next table lacks.
      for (const TagUsage& tag : done.tags) owed_.add(tag.pool);
    } else if (is_only) {
      only_ = std::move(done);
      only_uptime_ = uptime;
    }
    return;
  }
  if (lacks_time && have_others_times_) return notes_.skip(begun_line_, kDateLostItsTime);
  have_others_times_ |= !lacks_time;
  if (lacks_time && !std::exchange(told_of_midnight_, true)) notes_.warn(kTakenAsMidnight);
  if (local && !std::exchange(told_of_zone_, true)) notes_.warn("times without a zone are taken as UTC");
  if (are_dates_below_) {
    const std::uint64_t begun = begun_line_;
    begun_line_ = held_line_;
    if (held_) give(std::move(*held_), *time, {});
    begun_line_ = begun;
    return hold(std::move(done));
  }
  if (local) time = shift_.place(*time, uptime ? std::optional(uptime->millis) : std::nullopt);
  if (shift_.any() && !std::exchange(told_of_shift_, true)) notes_.warn(kUptimeShiftNote);
  // Those before the first date had been waiting for one.
  if (!any_dated_ && undated_ > 0)
    notes_.skip(first_undated_line_, std::to_string(undated_) + " tables from here on have no date above them");
  give(std::move(done), *time, uptime);
}

// The date above a table is that of the one before it.
void LinuxHistory::hold(Snapshot&& done) {
  held_ = std::move(done);
  held_line_ = begun_line_;
  boot_.reset();
}

void LinuxHistory::give(Snapshot&& done, UnixMillis time, const std::optional<Uptime>& uptime) {
  any_dated_ = true;
  done.system = System::kLinux;
  done.time = time;
  last_given_ = time;
  if (uptime) done.boot_time = boot_time(time - uptime->millis);
  else if (boot_) done.boot_time = boot_time(*boot_);
  boot_.reset();
  host_lines_.take(done);
  ready_ = std::move(done);
  ready_line_ = begun_line_;
  ready_host_ = given_host_.empty() && options_.lines_tell_hosts ? kUnnamedHost : given_host_;
}

// Uptimes are read some time after the date, and in minutes: what moves by less is the same boot.
UnixMillis LinuxHistory::boot_time(UnixMillis boot) {
  if (!boot_time_ || std::abs(boot - *boot_time_) > kSameBootMillis) boot_time_ = boot;
  return *boot_time_;
}

base::Error LinuxHistory::nothing_dated() const {
  if (told_of_headless_ && !is_any_used_)
    return {base::ErrorCode::kMalformed,
            notes_.path() +
                ": looks like tables whose rows have no heading above them; if its lines stand in reverse, turn "
                "them round with: tac FILE"};
  std::string names;
  for (unsigned i = 1; i <= static_cast<unsigned>(LinuxTable::kVmstat); ++i)
    if ((kinds_ & (1U << i)) != 0) names.append(names.empty() ? "" : ", ").append(table_name(static_cast<LinuxTable>(i)));
  return {base::ErrorCode::kMalformed, notes_.path() + ": looks like " + names +
                                           " without times; write `date` before each: while date; do cat "
                                           "/proc/slabinfo; sleep 3600; done >> FILE"};
}
Reader make_linux_history(LineReader lines, FileNotes notes, TextOptions options) {
  return std::unique_ptr<SnapshotReader>(
      std::make_unique<LinuxHistory>(std::move(lines), std::move(notes), std::move(options)));
}

}  // namespace kmem::history
