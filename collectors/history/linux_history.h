// The reader of what a shell loop writes on Linux, see linux_history.cpp: its looks and their dates are there, a table's rows
// in linux_rows.cpp, and whole tables in linux_tables.cpp. Of these files only. Thread: one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collectors/history/dates_below.h"
#include "collectors/history/host_lines.h"
#include "collectors/history/linux_text.h"
#include "collectors/history/open_end.h"
#include "collectors/history/snapshot_builder.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/text_header.h"
#include "collectors/history/uptime_shift.h"

namespace kmem::history {

class LinuxHistory final : public SnapshotReader {
 public:
  LinuxHistory(LineReader lines, FileNotes notes, TextOptions options, bool is_probe = false)
      : lines_(std::move(lines)), notes_(std::move(notes)), options_(std::move(options)), dates_(options_.dates),
        is_probe_(is_probe) {}

  base::Result<bool> next(Snapshot& out) override;

  [[nodiscard]] std::uint64_t line() const override { return line_; }
  [[nodiscard]] const std::string& host() const override { return ready_host_; }
  [[nodiscard]] bool has_host_lines() const override { return !options_.lines_tell_hosts && host_lines_.are_hosts(); }
  [[nodiscard]] bool has_one_host_line() const override { return host_lines_.is_one_host(); }
  [[nodiscard]] std::string year_day_month() const override { return dates_.year_day_month(); }
  [[nodiscard]] const char* fault_of_order() const override { return are_lines_in_reverse_ ? kLinesInReverse : nullptr; }
  [[nodiscard]] const DatesBelow* dates_below() const override { return &dates_below_; }

 private:
  static constexpr std::uint32_t kPageBytes = 4096, kMiddlePage = 16'384, kLargestPage = 65'536;
  void take(std::string_view line);

  void see_line_above_date();

  bool goes_on(LinuxTable begins, std::string_view text) const;

  static std::string_view area_in(std::string_view text);

  static bool are_words(std::string_view text);

  static bool is_prose_with_time(std::string_view text);

  static bool is_headless_row(std::string_view text);

  bool is_stamp(std::string_view text) const;

  void begin(LinuxTable table);

  void row(std::string_view line);

  bool is_again(std::string_view line);

  static constexpr const char* kTwoRows = "two rows in one line";
  static constexpr const char* kRowInHeading = "a row stands behind the heading in one line, and is passed over";
  static constexpr const char* kAllocinfoHeading = "allocinfo - version: 1.0\n";
  static bool is_below_headings(std::string_view row);
  static bool has_digit(std::string_view text) { return text.find_first_of("0123456789") != std::string_view::npos; }

  void refuse() { refuse("not a row of " + std::string(table_name(table_))); }
  void refuse(const std::string& why);
  void refuse_line(const std::string& why);

  static std::string vmalloc_caller(std::string_view text);

  void drop_broken_sums(LinuxTable table, std::vector<TagUsage>& tags);

  static std::string_view module_in(std::string_view site);

  void look_for_lost_sites();

  bool is_whole(std::string_view name, double value);
  static double last_number(std::string_view text);

  static std::string_view trimmed_end(std::string_view line) { return line.substr(0, line.find_last_not_of(" \t\r") + 1); }

  void see_width(std::string_view line);

  void drop_cut_name();

  [[nodiscard]] bool is_torn() const;

  void lose_row();

  static bool is_slabtop_heading(std::string_view text);

  void add(TagUsage&& tag);

  void close();

  std::uint32_t page_bytes(Gaps& gaps);

  bool boot(std::string_view text);

  bool date(std::string_view text);

  void stamp(base::UnixMillis time, std::string_view rule);

  void finish(bool is_end = false);

  void hold(Snapshot&& done);

  void give(Snapshot&& done, base::UnixMillis time, const std::optional<Uptime>& uptime);

  base::UnixMillis boot_time(base::UnixMillis boot);

  [[nodiscard]] base::Error nothing_dated() const;

  LineReader lines_;
  FileNotes notes_;
  std::string plain_, written_, mended_, text_, first_cache_;
  std::string date_text_;  // the last line with a date
  std::string torn_;       // a row that a date stands behind
  SnapshotBuilder building_;
  LinuxTable table_ = LinuxTable::kNone;
  std::uint64_t rows_ = 0;                      // of the open table
  std::array<std::uint64_t, 7> rows_before_{};  // of each kind's table before
  struct Pages {
    std::uint64_t rows = 0, larger = 0, largest = 0;  // those that need more than 4 KiB, and than 16
    void see(std::uint64_t need) {
      ++rows;
      larger += need > kPageBytes && need <= kLargestPage ? 1 : 0;
      largest += need > kMiddlePage && need <= kLargestPage ? 1 : 0;
    }
  };
  Pages pages_, pages_of_file_;  // of the open slabinfo, and of all so far
  struct Dense {
    std::uint64_t line = 0, need = 0;
    std::string name;
  };
  std::vector<Dense> dense_;  // rows of the open slabinfo that need more than 4 KiB
  bool told_of_pages_ = false;
  Gaps owed_;                                   // of the next look: rows that stand above its heading
  std::uint64_t caches_ = 0, caches_seen_ = 0;  // by slabtop's head, and below it
  unsigned seen_ = 0;                           // kinds in this snapshot
  unsigned kinds_ = 0;                          // in the file
  std::uint64_t begun_line_ = 0;
  std::uint64_t undated_ = 0;  // snapshots
  std::uint64_t first_undated_line_ = 0;
  std::optional<base::UnixMillis> time_, midnight_, boot_, boot_time_;
  TextOptions options_;
  OrderedDates dates_;
  std::optional<Snapshot> only_;  // without a date, as long as there is one
  std::optional<Uptime> only_uptime_;
  std::optional<base::UnixMillis> last_local_;  // of the date above, as it is written
  bool told_of_years_ = false;
  OpenEnd end_;
  struct Again {  // of the open table
    std::vector<std::size_t> rows, names;
    std::unordered_map<std::size_t, std::size_t> first;  // where a row stands
    std::size_t next = 0;                                // the row that the next one may be again; 0: none
    std::size_t began = 0;                               // where rows came again
    std::size_t text_before = 0;                         // the row that did so first
    bool is_told = false;
  };
  static constexpr std::size_t kMostRowsAgain = std::size_t{1} << 17;
  Again again_;
  std::size_t cut_at_ = 0;                     // characters, by slabtop's head; 0: it is whole
  std::vector<std::string> owed_callers_;      // of rows of vmallocinfo above its first whole one
  std::vector<std::string> broken_names_;      // of the open table's rows; empty: of one that does not tell
  std::set<std::string> sites_, known_sites_;  // of the open allocinfo, and of those above
  std::string sites_host_;
  bool told_of_sites_ = false;
  std::string first_area_, last_area_;          // of the open vmallocinfo
  std::set<std::string> caches_of_table_;       // slabinfo's, or meminfo's fields, vmallocinfo's rows
  std::set<std::string> several_;               // caches that ever had more than one row
  std::string_view other_;                      // what else has begun since the last date
  std::set<std::string> names_, names_before_;  // of slabtop's caches
  std::string last_name_;
  std::uint64_t last_line_ = 0;
  std::optional<Zone> zone_;
  UptimeShift shift_;
  ZoneClock zone_clock_;
  bool told_of_doubled_hour_ = false;
  bool told_of_shift_ = false;
  std::optional<Uptime> uptime_;
  static constexpr std::size_t kLongestAbove = 128;
  HostLines host_lines_;
  std::string above_, host_, given_host_, ready_host_;  // the line above; as a line above a date says
  std::optional<Snapshot> ready_;
  std::uint64_t ready_line_ = 0, line_ = 0;
  bool is_refused_ = false;  // the date above was of no use
  bool has_time_of_day_ = false;
  bool is_bare_ = false;         // the date above is nothing else
  std::uint64_t date_line_ = 0;  // its line
  bool is_any_refused_ = false;  // of the dates
  const bool is_probe_;          // it looks whether the dates stand below their tables
  DatesBelow dates_below_;
  bool are_dates_below_ = false;
  std::optional<Snapshot> held_;  // whose date comes
  std::uint64_t held_line_ = 0;
  std::string fault_;  // of the whole file
  bool any_dated_ = false, begins_undated_ = false;
  std::optional<base::UnixMillis> last_given_;  // the time of the last one
  bool are_lines_in_reverse_ = false, told_of_headless_ = false;
  bool told_of_zone_ = false, told_of_midnight_ = false;
  bool have_others_times_ = false;  // the dates of tables above
  bool told_of_length_ = false;
  bool is_below_heading_ = false;
  bool is_any_used_ = false;
  bool is_used_ = false;  // a row of this snapshot
  bool ended_ = false;
};

}  // namespace kmem::history
