// Screens and logs of poolmon, memsnap and poolsnap, !poolused and !vm: a snapshot ends where the next one's header,
// date or metadata begins. Lines around the tables are nobody's business; inside a table what has digits and is no row
// is broken.
#include <algorithm>
#include <utility>

#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/text_header.h"
#include "collectors/history/text_rows.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::int64_t kTickWrapMillis = std::int64_t{1} << 32;
constexpr std::int64_t kSameBootMillis = 60'000;

enum class Table { kNone, kPoolmon, kPoolused, kProcesses };

bool has_digit(std::string_view text) { return text.find_first_of("0123456789") != std::string_view::npos; }

// "C:\>", "PS C:\>", "0: kd>", "Total ..."
bool is_prompt_or_footer(std::string_view text) {
  return text.find('>') != std::string_view::npos || same_word(text.substr(0, 5), "total");
}

Table header_kind(std::string_view line, std::optional<ProcessColumns>& columns) {
  const std::string_view text = trimmed(line);
  columns = parse_process_header(line);
  if (columns) return Table::kProcesses;
  if (!text.starts_with("Tag") || text.find("Allocs") == std::string_view::npos) return Table::kNone;
  if (text.find("Type") != std::string_view::npos) return Table::kPoolmon;
  return text.find("Used") != std::string_view::npos ? Table::kPoolused : Table::kNone;
}

class TextHistory final : public SnapshotReader {
 public:
  TextHistory(LineReader lines, FileNotes notes, std::optional<UnixMillis> modified)
      : lines_(std::move(lines)), notes_(std::move(notes)), modified_(modified) {}

  base::Result<bool> next(Snapshot& out) override {
    while (!ready_) {
      if (ended_) return false;
      const auto state = lines_.next();
      if (!state) return state.error();
      if (*state == LineState::kEnd) {
        finish();
        last();
        ended_ = true;
      } else if (*state == LineState::kTooLong) {
        notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxLineBytes) + " bytes");
      } else {
        take(without_escapes(lines_.line(), plain_));
      }
    }
    out = std::move(*ready_);
    ready_.reset();
    return true;
  }

  [[nodiscard]] std::uint64_t line() const override { return ready_line_; }

 private:
  void take(std::string_view line) {
    const std::string_view text = trimmed(line);
    if (text.empty() || header(line, text) || row(line)) return;
    if (date(text)) return;
    if (table_ == Table::kNone) return;
    if (has_digit(text) && !is_prompt_or_footer(text)) {
      notes_.skip(lines_.number(), "not a row of this table");
    } else {
      table_ = Table::kNone;
    }
  }

  bool header(std::string_view line, std::string_view text) {
    if (text.front() == '!' && text.find('=') != std::string_view::npos) {
      begin(has_rows_);
      metadata(text);
      return true;
    }
    if (text.starts_with("Memory:") && text.find("Avail:") != std::string_view::npos) {
      begin(has_rows_ || has_totals_);
      has_totals_ = apply_memory_line(line, building_);
      if (!has_totals_) notes_.skip(lines_.number(), "Memory or Avail is not a number of K");
      return true;
    }
    if (text.starts_with("Commit:") && text.find("Limit:") != std::string_view::npos) {
      begin(has_rows_);
      if (apply_commit_line(line, building_)) has_totals_ = true;
      else notes_.skip(lines_.number(), "Commit or Limit is not a number of K");
      return true;
    }
    if (text.find("Virtual Memory Usage") != std::string_view::npos) {
      begin(has_rows_ || has_totals_);
      in_vm_ = true;
      return true;
    }
    if (in_vm_ && apply_vm_line(line, building_)) return has_totals_ = true;
    std::optional<ProcessColumns> columns;
    const Table kind = header_kind(line, columns);
    if (kind == Table::kNone) return false;
    begin(has_rows_);
    table_ = kind;
    in_vm_ = false;
    if (columns) columns_ = *columns;
    return true;
  }

  void metadata(std::string_view text) {
    if (const auto time = parse_system_time(text)) {
      midnight_.reset();
      time_ = time;
    } else if (const auto ticks = parse_tick_count(text)) {
      ticks_ = ticks;
    } else if (text.starts_with("!SystemTime=")) {
      notes_.skip(lines_.number(), "SystemTime is not MM\\DD\\YYYY HH:MM:SS");
    }
  }

  bool date(std::string_view text) {
    const DateLine found = parse_date_line(text);
    const bool completes = midnight_ && !has_time_of_day_ && !has_rows_ && !has_totals_;
    if (found.empty() || (!found.midnight && !completes)) return false;
    if (found.midnight) {
      begin(has_rows_ || has_totals_);
      midnight_ = found.midnight;
      has_time_of_day_ = false;
      zone_minutes_.reset();
      table_ = Table::kNone;
    }
    if (found.zone_minutes) zone_minutes_ = found.zone_minutes;
    has_time_of_day_ |= found.time_of_day.has_value();
    time_ = *midnight_ + found.time_of_day.value_or(0) - std::int64_t{zone_minutes_.value_or(0)} * 60'000;
    return true;
  }

  // False: not a row of the table, nor one of poolmon's anywhere.
  bool row(std::string_view line) {
    reason_.clear();
    RowKind kind = RowKind::kOther;
    const char* refused = nullptr;
    if (table_ == Table::kProcesses) {
      ProcessUsage process;
      kind = parse_process_row(line, columns_, process, reason_);
      if (kind == RowKind::kRow) refused = building_.add(std::move(process));
    } else if (table_ == Table::kPoolused) {
      TagUsage nonpaged;
      TagUsage paged;
      kind = parse_poolused_row(line, nonpaged, paged, reason_);
      if (kind == RowKind::kRow) {
        refused = building_.add(std::move(nonpaged));
        const char* const other = building_.add(std::move(paged));
        if (refused == nullptr) refused = other;
      }
    } else {
      TagUsage tag;
      kind = parse_poolmon_row(line, tag, reason_);
      if (kind == RowKind::kRow) refused = building_.add(std::move(tag));
      if (kind == RowKind::kBroken && table_ == Table::kNone) kind = RowKind::kOther;  // prose about paged pool
    }
    if (kind == RowKind::kOther) return false;
    if (kind == RowKind::kRow) {
      begin(false);
      has_rows_ = true;
    }
    if (kind == RowKind::kBroken) notes_.skip(lines_.number(), reason_);
    else if (refused != nullptr) notes_.skip(lines_.number(), refused);
    return true;
  }

  void begin(bool something_is_there) {
    if (something_is_there) finish();
    if (begun_line_ == 0) begun_line_ = lines_.number();
  }

  void finish() {
    Snapshot done = building_.take();
    done.system = System::kWindows;
    const bool something = has_rows_ || has_totals_;
    const std::optional<UnixMillis> time = std::exchange(time_, std::nullopt);
    const auto ticks = std::exchange(ticks_, std::nullopt);
    const std::uint64_t line = std::exchange(begun_line_, 0);
    const bool local = midnight_ && !zone_minutes_;
    midnight_.reset();
    zone_minutes_.reset();
    has_rows_ = has_totals_ = in_vm_ = has_time_of_day_ = false;
    table_ = Table::kNone;
    if (!something) return;
    if (!time) {
      skip_undated();
      undated_ = std::move(done);
      undated_line_ = line;
      return;
    }
    if (local && !std::exchange(told_of_zone_, true)) notes_.warn("times without a zone are taken as UTC");
    done.time = *time;
    if (ticks) done.boot_time = boot_time(*time, *ticks);
    give(std::move(done), line);
    any_dated_ = true;
  }

  // The counter wraps after 49.7 days: what moved by whole wraps is the boot that is known.
  UnixMillis boot_time(UnixMillis time, std::uint32_t ticks) {
    const UnixMillis boot = time - ticks;
    if (boot_time_) {
      const std::int64_t moved = ((boot - *boot_time_) % kTickWrapMillis + kTickWrapMillis) % kTickWrapMillis;
      if (std::min(moved, kTickWrapMillis - moved) <= kSameBootMillis) return *boot_time_;
    }
    boot_time_ = boot;
    return boot;
  }

  void last() {
    if (!undated_) return;
    if (any_dated_ || !modified_) {
      skip_undated();
      return;
    }
    notes_.warn("no time in the text: its last table gets the time the file was modified");
    undated_->time = *modified_;
    give(std::move(*undated_), undated_line_);
    undated_.reset();
  }

  void skip_undated() {
    if (!undated_) return;
    notes_.skip(undated_line_, "no date above this table, nor is it the last of a file without dates");
    undated_.reset();
  }

  void give(Snapshot&& snapshot, std::uint64_t line) {
    ready_ = std::move(snapshot);
    ready_line_ = line;
  }

  LineReader lines_;
  FileNotes notes_;
  std::optional<UnixMillis> modified_;
  std::string plain_;
  std::string reason_;

  SnapshotBuilder building_;
  std::uint64_t begun_line_ = 0;
  Table table_ = Table::kNone;
  ProcessColumns columns_;
  bool in_vm_ = false;
  bool has_rows_ = false;
  bool has_totals_ = false;
  std::optional<UnixMillis> time_;
  std::optional<UnixMillis> midnight_;  // of a date line
  bool has_time_of_day_ = false;
  std::optional<int> zone_minutes_;
  std::optional<std::uint32_t> ticks_;

  std::optional<Snapshot> undated_;  // until it is known whether it is the last
  std::uint64_t undated_line_ = 0;
  std::optional<Snapshot> ready_;
  std::uint64_t ready_line_ = 0;
  std::optional<UnixMillis> boot_time_;
  bool any_dated_ = false;
  bool told_of_zone_ = false;
  bool ended_ = false;
};

}  // namespace

Reader make_text_history(LineReader lines, FileNotes notes, std::optional<UnixMillis> modified) {
  return std::unique_ptr<SnapshotReader>(
      std::make_unique<TextHistory>(std::move(lines), std::move(notes), modified));
}

}  // namespace kmem::history
