// The reader of the text of Windows' tools, see text_history.cpp: its looks and their times are there, headings and rows of
// tables in text_tables.cpp, and what the debugger alone writes in debugger_text.cpp. Of these files only. Thread: one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collectors/history/dates_below.h"
#include "collectors/history/host_lines.h"
#include "collectors/history/open_end.h"
#include "collectors/history/snapshot_builder.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/text_header.h"
#include "collectors/history/text_rows.h"
#include "collectors/history/text_time.h"

namespace kmem::history {

class TextHistory final : public SnapshotReader {
 public:
  TextHistory(LineReader lines, FileNotes notes, const TextOptions& options, bool is_probe = false)
      : lines_(std::move(lines)), notes_(std::move(notes)), clock_(notes_, options), options_(options),
        lines_tell_hosts_(options.lines_tell_hosts), is_probe_(is_probe) {}

  base::Result<bool> next(Snapshot& out) override;

  [[nodiscard]] std::uint64_t line() const override { return ready_line_; }
  [[nodiscard]] const std::string& host() const override { return ready_host_; }
  [[nodiscard]] bool has_host_lines() const override { return !lines_tell_hosts_ && host_lines_.are_hosts(); }
  [[nodiscard]] bool has_one_host_line() const override { return host_lines_.is_one_host(); }
  [[nodiscard]] std::string year_day_month() const override { return clock_.year_day_month(); }
  [[nodiscard]] const char* fault_of_order() const override { return are_lines_in_reverse_ ? kLinesInReverse : nullptr; }
  [[nodiscard]] const DatesBelow* dates_below() const override { return &dates_below_; }

 private:
  enum class Table { kNone, kPoolmon, kPoolused, kProcesses, kTop, kPassedOver };
  static bool has_digit(std::string_view text) { return text.find_first_of("0123456789") != std::string_view::npos; }
  static bool looks_like_a_row(std::string_view text);
  static bool may_be_stamp(std::string_view text);
  enum class Use { kUsed, kBroken, kOther };

  [[nodiscard]] std::size_t heading_behind_row(std::string_view line) const;

  void take(std::string_view line);

  [[nodiscard]] bool is_cut_before_values(std::string_view line, bool is_followed) const;

  [[nodiscard]] bool knows(std::string_view raw_tag) const;

  bool torn_row(std::string_view line, Use use);

  void lose_row();

  [[nodiscard]] std::optional<RowSubject> subject_of_broken(std::string_view text) const;

  void unused(std::string_view text, Use use);

  Use header_or_row(std::string_view line);

  bool header(std::string_view line, std::string_view text);

  void commit_line(std::string_view line);

  void look_for_row_in(std::string_view heading);

  bool table_header(std::string_view line, std::string_view text);

  /// The table of a session belongs to the screen of the system above it.
  [[nodiscard]] bool begins_with(bool rows) const { return rows && (!owner_ || owner_->kind == PoolOwner::Kind::kSystem); }

  void open(Table table);

  void begin_vm();

  bool vm_line(std::string_view line);

  void tell_parts_of_pools();

  void lose_half_of_nonpaged();

  bool has_nx_line();

  void metadata(std::string_view text);

  void machine(std::string_view name);

  void is_of(std::string_view host);

  void see_line_above_date();

  bool date(std::string_view text);

  Use row(std::string_view line);

  void compare_total(std::string_view text);

  static bool lost_digits(std::uint64_t whole, std::uint64_t part);

  void lose_rows_cut_by(Pool pool, std::uint64_t missing);

  RowKind unless_hexadecimal(std::string_view line, RowKind kind);

  bool is_of_one_piece(PerAlloc per_alloc);

  [[nodiscard]] bool is_of_system() const { return table_owner_.kind == PoolOwner::Kind::kSystem; }

  const char* add_tags(SnapshotBuilder& into);

  [[nodiscard]] bool says_the_same(const SnapshotBuilder& looked, const TagUsage& tag) const;

  [[nodiscard]] bool is_of_another_look() const;

  void keep_apart(std::uint64_t line);

  SnapshotBuilder& target(bool is_there);

  void keep_behind_blank();

  void begin(bool something_is_there);

  void finish();

  void tell_unit_of_processes();

  void last(bool time_is_left);

  void shift(const TextClock::Reading& reading, Snapshot&& done, std::uint64_t line);

  void skip_undated(const char* why = nullptr);

  void give(Snapshot&& snapshot, std::uint64_t line);

  LineReader lines_;
  FileNotes notes_;
  TextClock clock_;
  TextOptions options_;
  HostLines host_lines_;
  bool lines_tell_hosts_ = false;
  std::string plain_, unquoted_, clean_, metadata_;
  std::string reason_;
  std::string titles_;  // the line above
  std::string above_;   // the same as it is written
  static constexpr std::size_t kLongestAbove = 128;
  std::string first_line_;
  std::string date_text_;  // the last line with a date
  bool is_date_indented_ = false;
  std::string broken_process_;
  std::vector<TagUsage> tags_;

  SnapshotBuilder building_;
  SnapshotBuilder pending_;  // rows behind a blank line
  bool behind_blank_ = false;
  std::uint64_t behind_line_ = 0;
  bool blank_before_ = false;
  bool undated_of_debugger_ = false;
  std::uint64_t begun_line_ = 0;
  Table table_ = Table::kNone;
  std::optional<ProcessColumns> columns_;
  PoolusedColumns poolused_;
  TopColumns top_;
  bool told_of_top_ = false;
  std::optional<PoolOwner> owner_;  // of the next table
  std::uint64_t owner_line_ = 0;
  PoolOwner table_owner_;
  VmParts vm_parts_;
  std::array<std::uint64_t, 2> vm_part_lines_{};  // where parts of paged and of nonpaged pool begin; 0: none
  std::uint64_t vm_nx_line_ = 0, vm_nonpaged_line_ = 0;
  std::optional<bool> has_nx_line_;                          // any look of the file; not known yet
  std::uint64_t working_sets_ = 0, whole_working_sets_ = 0;  // of memsnap's rows; in whole pages
  bool is_head_ = false;                                     // below a date, above the first row: sums of all kinds stand there
  bool is_followed_ = false;                                 // by the next heading, in the same line
  bool in_vm_ = false, is_vm_torn_ahead_ = false;
  bool has_vm_ = false;
  bool of_debugger_ = false;
  bool of_linux_ = false;
  bool has_rows_ = false;  // of any kind
  bool has_system_rows_ = false;
  bool has_processes_ = false;
  bool has_totals_ = false;

  std::unordered_map<std::uint64_t, bool> is_exact_;  // by tag: Per Alloc
  std::uint64_t hexadecimal_rows_ = 0;                // of poolmon's, or such cells in one of them
  std::uint64_t exact_rows_ = 0, off_rows_ = 0;       // whose Per Alloc is Bytes through Diff, and is not
  OpenEnd end_;
  bool told_of_touching_ = false, told_of_stamp_ = false;
  std::array<std::uint64_t, 2> used_{};              // by pool: of the rows of the open table of !poolused
  bool any_broken_ = false, told_of_total_ = false;  // a row of it
  std::size_t totals_that_fit_ = 0;
  bool has_per_alloc_ = true;     // in the heading of poolmon's table
  std::string_view other_;        // what else has begun last
  std::uint64_t stamp_line_ = 0;  // the first with a stamp that is not seen

  const bool is_probe_;  // it looks whether the dates stand below their tables
  DatesBelow dates_below_;
  bool are_dates_below_ = false;
  std::optional<Snapshot> held_;  // whose date comes
  std::uint64_t held_line_ = 0, date_line_ = 0;
  std::string fault_;                // of the whole file
  std::optional<Snapshot> undated_;  // until it is known whether it is the last
  std::uint64_t undated_line_ = 0;
  std::size_t undated_count_ = 0;
  std::optional<Snapshot> ready_;
  std::uint64_t ready_line_ = 0;
  std::string host_, ready_host_;  // as the file says, of what is built and of what is ready
  bool any_dated_ = false, begins_undated_ = false;
  bool does_time_left_fall_ = false, are_lines_in_reverse_ = false;
  bool any_tags_dated_ = false, any_totals_dated_ = false;  // of the debugger
  bool ended_ = false;
};

}  // namespace kmem::history
