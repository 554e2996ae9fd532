// What the lines of a text say of time -> the time and boot of the table below them. Dates, times below or above their
// dates, times of one day after the other, the file's name, the debugger's and memsnap's own. Thread: one.
// Failure: what cannot be used is listed once, at its line, and the table below it is passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/history/date_line.h"
#include "collectors/history/date_order.h"
#include "collectors/history/notes.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/uptime_shift.h"

namespace kmem::history {

class TextClock {
 public:
  TextClock(FileNotes& notes, const TextOptions& options);

  enum class Stamp { kNone, kBegins, kGoesOn };
  /// kBegins: a new snapshot does, and begin() is to follow. `is_used`: a table has been seen since the last one.
  Stamp take_date(std::string_view text, std::uint64_t line, bool is_used);
  void begin();

  /// "!SystemTime=...", "!TickCount=...".
  void take_metadata(std::string_view text, std::uint64_t line);
  /// Uptime, or when the system started. False: another line.
  bool take_boot(std::string_view text, std::uint64_t line);

  /// Another one than that which was told of this look already.
  [[nodiscard]] bool tells_other_uptime(std::string_view text) const;

  struct Reading {
    std::optional<base::UnixMillis> time;
    std::optional<base::UnixMillis> boot_time;
    bool refused = false;  // a date there was, of no use
  };
  /// Of the snapshot that ends here.
  [[nodiscard]] Reading read(bool of_debugger = false);
  /// Nothing was below it.
  void drop();
  /// What comes is of another machine: its boots are others.
  void other_host() {
    boot_time_.reset();
    shift_ = {};
  }

  /// Of the debugger's session, where the file has one: its tables may stand above it.
  [[nodiscard]] std::optional<Reading> only_session() const { return several_sessions_ ? std::nullopt : session_; }
  [[nodiscard]] std::string year_day_month() const { return dates_.year_day_month(); }
  [[nodiscard]] bool any_refused() const { return any_refused_; }
  /// The first line that tells the time of a day that nothing tells; 0: none.
  [[nodiscard]] std::uint64_t dateless_line() const { return dateless_line_; }
  /// Dates of which no table was, though another one follows; lines of a log that tell of one table are none.
  struct Lone {
    std::uint64_t count = 0, first_line = 0;
  };
  [[nodiscard]] Lone lone() const { return lone_; }
  /// It is an earlier one than that of the last table.
  [[nodiscard]] bool falls() const { return now_.local() && last_dated_ && *now_.local() < *last_dated_; }
  /// By the date above what comes next, as it is written.
  [[nodiscard]] std::optional<base::UnixMillis> time() const { return now_.local(); }
  /// A date stands above what comes next.
  [[nodiscard]] bool has_date() const { return now_.midnight || now_.time; }

 private:
  struct State {
    std::optional<base::UnixMillis> time;  // whole, from metadata
    std::optional<base::UnixMillis> midnight;
    std::optional<std::int64_t> time_of_day;
    std::optional<Zone> zone;
    std::optional<std::uint64_t> ticks;
    std::optional<std::int64_t> uptime;
    std::optional<base::UnixMillis> boot_time;
    bool refused = false;
    bool is_session = false;      // of the debugger
    bool is_bare = false;         // nothing else stands in its line
    std::uint64_t line = 0;       // of its date
    std::uint64_t fall_line = 0;  // of a time alone that goes back; a date may follow it

    [[nodiscard]] std::optional<base::UnixMillis> local() const {
      return time ? time : midnight ? std::optional(*midnight + time_of_day.value_or(0)) : std::nullopt;
    }
    /// Of its midnight.
    [[nodiscard]] base::UnixMillis utc() const {
      const base::UnixMillis local = *midnight + time_of_day.value_or(0);
      return local - std::int64_t{minutes_east(zone.value_or(Zone{}), local)} * 60'000;
    }
  };

  void keep_session();
  /// The date below the one that holds, without a table between, is an earlier one.
  [[nodiscard]] bool falls_behind(const DateLine& found) const;
  /// Of a date below another one, without a table between.
  [[nodiscard]] SecondDate second(const DateLine& found) const;
  [[nodiscard]] std::optional<base::UnixMillis> boot_of(base::UnixMillis time);
  [[nodiscard]] base::UnixMillis steady(base::UnixMillis boot);

  FileNotes& notes_;
  OrderedDates dates_;
  bool have_others_times_ = false;  // the dates of tables above
  std::optional<base::UnixMillis> modified_;
  DateLine name_;  // of the file

  State now_;
  std::optional<Reading> session_;
  bool several_sessions_ = false;
  State next_;                              // of the snapshot that begin() begins
  std::optional<State> over_session_;       // the debugger's own time, below which another one stands
  std::optional<std::int64_t> early_time_;  // above its date
  std::uint64_t dateless_line_ = 0;
  Lone lone_;
  std::optional<base::UnixMillis> last_read_;
  std::optional<base::UnixMillis> last_dated_;  // of the tables that had a time
  std::optional<base::UnixMillis> last_midnight_;
  std::int64_t last_time_of_day_ = 0;
  bool awaits_boot_ = false;
  std::optional<base::UnixMillis> boot_time_;
  UptimeShift shift_;
  ZoneClock zone_clock_;
  bool told_of_doubled_hour_ = false;
  bool told_of_shift_ = false;
  bool any_refused_ = false;
  bool has_time_risen_ = false, do_times_fall_ = false;  // of times without a date, since the last date or the last fall
  bool told_of_zone_ = false, told_of_midnight_ = false, told_of_times_ = false, told_of_years_ = false,
       told_of_debugger_ = false;
};

}  // namespace kmem::history
