#include "collectors/history/text_time.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "collectors/base/clock.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/linux_text.h"
#include "collectors/history/text_header.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::int64_t kTickWrapMillis = std::int64_t{1} << 32;
constexpr std::int64_t kSameBootMillis = 60'000;
using base::kDayMillis;

}  // namespace

TextClock::TextClock(FileNotes& notes, const TextOptions& options)
    : notes_(notes), dates_(options.dates), modified_(options.modified), name_(options.date_of_name(notes.path()).date) {}

TextClock::Stamp TextClock::take_date(std::string_view text, std::uint64_t line, bool is_used) {
  if (awaits_boot_) {  // wmic's value below its name
    awaits_boot_ = false;
    const DateLine boot = dates_.parse(text);
    if (boot.midnight && boot.time_of_day) {
      now_.boot_time = utc_of(boot);
      return Stamp::kGoesOn;
    }
  }
  constexpr std::string_view kDebugger = "Debugger (not debuggee)";
  if (same_word(text.substr(0, kDebugger.size()), kDebugger)) {
    if (!std::exchange(told_of_debugger_, true)) notes_.skip(line, "the debugger's own time, not that of the system");
    return Stamp::kGoesOn;
  }
  if (const auto seconds = parse_unix_line(text)) {
    // A number between rows is none: times rise.
    const auto current = now_.time ? now_.time : now_.midnight;
    if (current && *seconds < *current - kDayMillis) return Stamp::kNone;
    next_ = {};
    next_.time = seconds;
    next_.line = line;
    return Stamp::kBegins;
  }
  DateLine found = dates_.parse(text);
  if (found.empty()) {
    // One that is understood holds until a table has been below it.
    if (!may_be_date(text) || ends_table(text) || (!is_used && (now_.midnight || now_.time))) return Stamp::kNone;
    found.problem = in_quotes(text) + " looks like a date, but is not understood";
  }
  if (found.yearless && found.problem.empty()) {
    std::optional<UnixMillis> base;
    if (now_.midnight) base = *now_.midnight + now_.time_of_day.value_or(0);
    else if (last_midnight_) base = *last_midnight_ + last_time_of_day_;
    else if (name_.midnight) base = *name_.midnight;
    constexpr UnixMillis kFirstFile = 725'846'400'000;  // 1993
    if (base) found.midnight = first_day_after(found, *base);
    // A log is not silent for ten months: it goes back, newest first.
    constexpr UnixMillis kLongestSilence = 300 * kDayMillis;
    if (base && !found.weekday && found.midnight && *found.midnight - *base > kLongestSilence) found.midnight.reset();
    else if (modified_ && *modified_ >= kFirstFile) found.midnight = last_day_before(found, *modified_);
    if (!found.midnight)
      found.problem = in_quotes(text) + " has no year, and nothing " +
                      (base ? "that fits follows the time above it: it goes back" : "above it or in the file's name tells it");
    else if (!std::exchange(told_of_years_, true))
      notes_.warn(base ? "days without a year follow the one above them"
                       : "days without a year are the last ones before the file was modified");
  }
  next_ = {};
  next_.line = line;
  if (!found.problem.empty()) {
    notes_.skip(line, found.problem + "; the table below is passed over");
    next_.refused = any_refused_ = true;
    return Stamp::kBegins;
  }
  constexpr std::string_view kSession = "Debug session time";
  const bool is_session = found.midnight && found.time_of_day && same_word(text.substr(0, kSession.size()), kSession);
  if (found.midnight && !is_used && now_.midnight) {
    const bool same_day_again = !found.time_of_day && now_.time_of_day && *found.midnight == *now_.midnight;
    if (same_day_again) return Stamp::kGoesOn;
    if (now_.zone && now_.is_bare && line == now_.line + 1 && is_same_moment(now_.utc(), found)) return Stamp::kGoesOn;
    const SecondDate judged = is_session ? SecondDate::kHolds : second(found);
    if (judged != SecondDate::kHolds)
      notes_.skip(line,
                  judged == SecondDate::kIsOther ? kEarlierThanAbove : earlier_than_above(now_.line) + "; it is passed over");
    if (judged == SecondDate::kIsOther) return Stamp::kGoesOn;
    if (judged == SecondDate::kDoubtful) {
      next_.refused = any_refused_ = true;
      return Stamp::kBegins;
    }
  }
  if (found.midnight) {
    has_time_risen_ = do_times_fall_ = false;
    // `time /t` may come before `date /t`.
    if (!found.time_of_day && !is_used) found.time_of_day = std::exchange(early_time_, std::nullopt);
    early_time_.reset();
    next_.midnight = found.midnight;
    next_.time_of_day = found.time_of_day;
    next_.zone = found.zone;
    next_.is_session = is_session;
    next_.is_bare = is_bare_stamp(text, found);
    return Stamp::kBegins;
  }
  if (now_.midnight && !now_.time_of_day && !is_used) {
    now_.time_of_day = found.time_of_day;
    if (found.zone) now_.zone = found.zone;
    return Stamp::kGoesOn;
  }
  early_time_ = found.time_of_day;
  if (dateless_line_ == 0) dateless_line_ = line;
  if (now_.midnight) {
    last_midnight_ = now_.midnight;
    last_time_of_day_ = now_.time_of_day.value_or(0);
  }
  const auto day = last_midnight_ ? last_midnight_ : name_.midnight;
  if (!day || (now_.refused && !is_used)) return Stamp::kGoesOn;
  // A day ends, and the next begins hours earlier or in the night: what falls step by step stands newest first.
  const bool falls = last_midnight_ && *found.time_of_day < last_time_of_day_;
  const bool is_over_night = falls && (has_time_risen_ || last_time_of_day_ - *found.time_of_day >= kDayMillis / 2);
  if (last_midnight_) has_time_risen_ = !falls;
  do_times_fall_ |= falls && !is_over_night;
  if (do_times_fall_) {
    next_ = {};
    next_.fall_line = line;
    next_.refused = true;
    return Stamp::kBegins;
  }
  next_.line = 0;  // its date may follow
  next_.midnight = *day;
  if (falls) *next_.midnight += kDayMillis;
  next_.time_of_day = found.time_of_day;
  next_.zone = found.zone ? found.zone : name_.zone;
  if (!std::exchange(told_of_times_, true))
    notes_.warn(last_midnight_ ? "times without a date follow the one above them"
                               : "times without a date begin on that of the file's name");
  return Stamp::kBegins;
}

bool TextClock::falls_behind(const DateLine& found) const {
  const UnixMillis local = *now_.midnight + now_.time_of_day.value_or(0);
  const UnixMillis next = *found.midnight + found.time_of_day.value_or(0);
  if (next >= local) return false;
  // The newest stand first, and this one has no table.
  if (last_midnight_ && local < *last_midnight_ + last_time_of_day_) return false;
  // The same moment elsewhere: `date; date -u`.
  constexpr std::int64_t kFarthestZones = 26 * base::kHourMillis;
  return !found.zone || now_.zone == found.zone || local - next > kFarthestZones;
}

SecondDate TextClock::second(const DateLine& found) const {
  if (!falls_behind(found)) return SecondDate::kHolds;
  return judge_earlier(found, now_.is_bare, !last_dated_ || *found.midnight + found.time_of_day.value_or(0) > *last_dated_);
}

void TextClock::begin() {
  keep_session();
  if (next_.is_session) over_session_.reset();
  else if (now_.is_session) over_session_ = now_;
  const State before = std::exchange(now_, std::exchange(next_, {}));
  constexpr std::int64_t kOneLookMillis = 60'000;
  const auto apart = [&](std::optional<UnixMillis> other) {
    return !other || std::abs(*other - *before.local()) > kOneLookMillis;
  };
  if (before.local() && before.line != 0 && !(now_.line == before.line + 1 && before.zone != now_.zone) && !before.refused &&
      !before.is_session && apart(now_.local()) && apart(last_read_) && (before.time || before.time_of_day) &&
      lone_.count++ == 0)
    lone_.first_line = before.line;
  now_.boot_time = before.boot_time;
  now_.uptime = before.uptime;
}

void TextClock::take_metadata(std::string_view text, std::uint64_t line) {
  if (const auto time = parse_system_time(text)) {
    now_ = {};
    now_.time = time;
  } else if (const auto ticks = parse_tick_count(text)) {
    now_.ticks = ticks;
  } else if (text.starts_with("!SystemTime=")) {
    const bool is_zone_unknown = parse_system_time(text.substr(0, text.find('('))).has_value();
    notes_.skip(line, is_zone_unknown ? "SystemTime has a zone that is not known" : "SystemTime is not MM\\DD\\YYYY HH:MM:SS");
    now_ = {};
    now_.refused = any_refused_ = true;
  } else if (text.starts_with("!Tick")) {
    notes_.skip(line, "TickCount is not a number of milliseconds");
  }
}

bool TextClock::take_boot(std::string_view text, std::uint64_t line) {
  if (const auto uptime = parse_uptime(text)) {
    now_.uptime = uptime;
    return true;
  }
  constexpr std::string_view kUptime = "System Uptime:";
  if (same_word(text.substr(0, kUptime.size()), kUptime)) {
    notes_.skip(line, "the uptime is not understood; it may be cut");
    return true;
  }
  const auto words = boot_words(text);
  if (!words) return is_of_installation(text);
  awaits_boot_ = words->empty();
  if (awaits_boot_) return true;
  const DateLine found = dates_.parse(*words);
  if (found.midnight && found.time_of_day) {
    now_.boot_time = utc_of(found);
  } else {
    notes_.skip(line, found.problem.empty() ? "the time of the boot is not understood" : found.problem);
  }
  return true;
}

bool TextClock::tells_other_uptime(std::string_view text) const {
  const auto uptime = now_.uptime ? parse_uptime(text) : std::nullopt;
  return uptime && std::abs(*uptime - *now_.uptime) > kSameBootMillis;
}

void TextClock::keep_session() {
  if (!now_.is_session || !now_.midnight) return;
  const UnixMillis time = now_.utc();
  several_sessions_ |= session_ && session_->time != time;
  if (!session_) session_ = Reading{time, boot_of(time)};
}

TextClock::Reading TextClock::read(bool of_debugger) {
  keep_session();
  // The time of the session is that of all its tables.
  if (const auto over = std::exchange(over_session_, std::nullopt); over && of_debugger) {
    const State below = std::exchange(now_, *over);
    now_.boot_time = below.boot_time;
    now_.uptime = below.uptime;
  }
  Reading reading;
  reading.refused = now_.refused;
  if (now_.fall_line != 0) {
    any_refused_ = true;
    notes_.skip(
        now_.fall_line,
        "a time without a date, and such times fall, as if the newest stood first: which day it is cannot be told; the table below is passed over");
  }
  last_read_ = now_.local();
  if (last_read_) last_dated_ = last_read_;
  if (now_.time) {
    reading.time = now_.time;
  } else if (now_.midnight && !now_.time_of_day && !reading.refused && have_others_times_) {
    reading.refused = any_refused_ = true;
    notes_.skip(now_.line, kDateLostItsTime);
  } else if (now_.midnight) {
    have_others_times_ |= now_.time_of_day.has_value();
    if (!now_.time_of_day && !std::exchange(told_of_midnight_, true)) notes_.warn(kTakenAsMidnight);
    if (!now_.zone && !std::exchange(told_of_zone_, true)) notes_.warn("times without a zone are taken as UTC");
    reading.time = now_.zone ? zone_clock_.utc(*now_.zone, *now_.local()) : now_.utc();
    if (zone_clock_.is_doubtful() && !std::exchange(told_of_doubled_hour_, true)) notes_.warn(kDoubledHourNote);
    if (const char* const fault = now_.zone ? fault_at(*now_.zone, *now_.local()) : nullptr; fault && !reading.refused) {
      notes_.skip(now_.line, std::string(fault) + "; the table below is passed over");
      reading.refused = any_refused_ = true;
      reading.time.reset();
    }
    if (!now_.zone && reading.time) reading.time = shift_.place(*reading.time, now_.uptime);
    if (shift_.any() && !std::exchange(told_of_shift_, true)) notes_.warn(kUptimeShiftNote);
    last_midnight_ = now_.midnight;
    last_time_of_day_ = now_.time_of_day.value_or(0);
  }
  if (reading.time) reading.boot_time = boot_of(*reading.time);
  now_ = {};
  return reading;
}

void TextClock::drop() {
  keep_session();
  over_session_.reset();
  // What was said of the boot above the first date stays.
  if (now_.midnight || now_.time || now_.refused) now_ = {};
}

std::optional<UnixMillis> TextClock::boot_of(UnixMillis time) {
  if (now_.boot_time) return steady(*now_.boot_time);
  if (now_.uptime) return steady(time - *now_.uptime);
  if (!now_.ticks) return std::nullopt;
  // Of 32 bits the counter wraps after 49.7 days: what moved by whole wraps is the boot that is known.
  const UnixMillis boot = time - static_cast<UnixMillis>(std::min<std::uint64_t>(*now_.ticks, std::uint64_t{1} << 52));
  if (boot_time_ && *now_.ticks < static_cast<std::uint64_t>(kTickWrapMillis)) {
    const std::int64_t moved = ((boot - *boot_time_) % kTickWrapMillis + kTickWrapMillis) % kTickWrapMillis;
    if (std::min(moved, kTickWrapMillis - moved) <= kSameBootMillis) return *boot_time_;
  }
  boot_time_ = boot;
  return boot;
}

UnixMillis TextClock::steady(UnixMillis boot) {
  if (!boot_time_ || std::abs(boot - *boot_time_) > kSameBootMillis) boot_time_ = boot;
  return *boot_time_;
}

}  // namespace kmem::history
