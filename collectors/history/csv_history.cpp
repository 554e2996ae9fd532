// CSV, also with ; or tabs: a header row names the columns, in any order and case: timestamp, pool, tag, bytes, and optionally allocs,
// frees, outstanding, boot_time, host. Rows of one timestamp and host are one snapshot, in which a row with an empty tag
// is the pool's total.
// Besides the pools' names system_ptes (free ones), commit and commit_limit are known, whose value is in bytes.
// Rows may be out of order as far as kWindow snapshots of their host reach; what comes later is skipped.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <list>
#include <map>
#include <set>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/base/suggest.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/number_text.h"
#include "collectors/history/open_end.h"
#include "collectors/history/recognise.h"
#include "collectors/history/row_text.h"
#include "collectors/history/script_csv.h"
#include "collectors/history/snapshot_builder.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::size_t kWindow = 4;
constexpr std::size_t kLongestTag = 256, kLongestHost = 256;
constexpr std::size_t kMostPending = 512, kMostPendingRows = 65'536;  // of all hosts: snapshots, and rows in them
constexpr std::size_t kStaleRows = 4096;                              // of a host none came for as long: what it has is whole
constexpr std::size_t kMostEarly = 4096;                              // of all hosts

enum Column : std::size_t { kTimestamp, kPool, kTag, kBytes, kAllocs, kFrees, kOutstanding, kBootTime, kHost };
constexpr std::array<std::string_view, 9> kColumns = {"timestamp", "pool",        "tag",       "bytes", "allocs",
                                                      "frees",     "outstanding", "boot_time", "host"};
constexpr std::size_t kRequired = 4;

// Behind the pools.
enum Pseudo : std::size_t { kSystemPtes = kPoolCount, kCommit, kCommitLimit, kKindCount };
constexpr auto kKinds = [] {
  std::array<std::string_view, kKindCount> kinds{};
  std::copy(kPoolNames.begin(), kPoolNames.end(), kinds.begin());
  kinds[kSystemPtes] = "system_ptes";
  kinds[kCommit] = "commit";
  kinds[kCommitLimit] = "commit_limit";
  return kinds;
}();

std::size_t find_word(std::span<const std::string_view> words, std::string_view wanted) {
  const auto found = std::find_if(words.begin(), words.end(), [&](auto word) { return same_word(word, wanted); });
  return static_cast<std::size_t>(found - words.begin());
}

std::string hint(std::string_view word, std::span<const std::string_view> words) {
  const auto near = base::nearest(word, words);
  return near ? "; did you mean " + *near + "?" : "";
}

// Spreadsheets and data frames write whole numbers as 1234.0 or 1.234e3 too, and with a comma in other countries.
std::optional<std::uint64_t> parse_count(std::string_view text, char separator) {
  constexpr double kTooBig = 18'446'744'073'709'551'616.0;
  const char* const end = text.data() + text.size();
  std::uint64_t whole = 0;
  if (const auto parsed = std::from_chars(text.data(), end, whole); parsed.ec == std::errc{} && parsed.ptr == end) return whole;
  const NumberText number = parse_number(text, separator == ',');
  if (!number.value || !(*number.value >= 0) || *number.value >= kTooBig) return std::nullopt;
  return static_cast<std::uint64_t>(std::round(*number.value));
}

class CsvHistory final : public SnapshotReader {
 public:
  CsvHistory(LineReader lines, FileNotes notes, char separator, bool any_order)
      : lines_(std::move(lines)), notes_(std::move(notes)), fields_(separator), any_order_(any_order) {}

  base::Result<void> read_header() {
    return read_header_row(lines_, notes_, [this] { return take_header(); });
  }

  base::Result<bool> next(Snapshot& out) override {
    while (!ended_ && full_ == nullptr) {
      const auto state = lines_.next();
      if (!state) return state.error();
      ended_ = *state == LineState::kEnd;
      if (*state == LineState::kTooLong)
        notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxLineBytes) + " bytes");
      if (*state == LineState::kLine && !trimmed(lines_.line()).empty()) take_line();
    }
    const bool is_full = full_ != nullptr;
    Host* const host = is_full ? std::exchange(full_, nullptr) : earliest();
    if (host == nullptr) return false;
    const auto begins_before = [](const auto& a, const auto& b) { return a.second.line < b.second.line; };
    // Each later time stands above the one before it.
    is_newest_first_ = is_full && !host->given && host->pending.size() > 2 &&
                       std::is_sorted(host->pending.rbegin(), host->pending.rend(), begins_before);
    // Where times may go back the earliest may be the one whose rows come just now: the one that the file began first is whole.
    const auto first =
        any_order_ ? std::min_element(host->pending.begin(), host->pending.end(), begins_before) : host->pending.begin();
    out = first->second.builder.take();
    out.system = system_;
    out.time = first->first;
    host_ = *host->name;
    line_ = first->second.line;
    host->given = first->first;
    if (current_ == &first->second) current_ = nullptr;
    pending_rows_ -= first->second.rows;
    host->pending.erase(first);
    --pending_count_;
    if (any_order_) return true;
    // Their snapshots can no longer come.
    const auto still = host->early_gaps.upper_bound(*host->given);
    early_count_ -= static_cast<std::size_t>(std::distance(host->early_gaps.begin(), still));
    host->early_gaps.erase(host->early_gaps.begin(), still);
    return true;
  }

  [[nodiscard]] bool is_newest_first() const override { return is_newest_first_ || (fallen_hosts_ > 1 && !any_rose_); }
  [[nodiscard]] bool is_unsorted() const override { return is_unsorted_; }
  [[nodiscard]] std::uint64_t line() const override { return line_; }
  [[nodiscard]] const std::string& host() const override { return host_; }

 private:
  struct Pending {
    SnapshotBuilder builder;
    std::uint64_t line = 0;
    std::size_t rows = 0;
  };
  // Times rise a host: hosts may stand one behind another.
  struct Host {
    const std::string* name = nullptr;  // in hosts_
    std::map<UnixMillis, Pending> pending;
    std::map<UnixMillis, Gaps> early_gaps;  // of rows that were refused before one of their snapshot was not
    std::optional<UnixMillis> given;
    std::uint64_t last_line = 0;
    std::array<UnixMillis, 2> last_times{};  // of the two looks that came last
    int fallen = 0;                          // times that went back, each later than the one before
    UnixMillis fell_to = 0;
    std::uint64_t fell_line = 0;
    bool fell = false;                                     // a time came too late
    std::optional<std::list<Host*>::iterator> place = {};  // in waiting_
  };

  Host* earliest() {
    Host* found = nullptr;
    for (auto& [name, host] : hosts_)
      if (!host.pending.empty() && (found == nullptr || host.pending.begin()->first < found->pending.begin()->first))
        found = &host;
    return found;
  }
  Host& host_of(std::string_view text) {
    std::string name = base::label_text(text);
    const auto [found, is_new] = hosts_.try_emplace(std::move(name));
    if (is_new) found->second.name = &found->first;
    return found->second;
  }

  // Empty, or why it cannot be used.
  std::string take_header() {
    if (const char* const why = fields_.split(lines_.line())) return why;
    std::array<std::size_t, kColumns.size()> at;
    at.fill(kMaxFields);
    std::vector<std::string_view> names;
    std::size_t host_by_alias = kMaxFields;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const std::string_view name = names.emplace_back(trimmed(fields_[i]));
      std::size_t column = find_word(kColumns, name);
      // Of several names of a host its own goes before, then the first.
      const bool is_alias = column == kColumns.size() && names_host(name);
      if (is_alias && at[kHost] == kMaxFields) host_by_alias = i, at[kHost] = i;
      if (column == kColumns.size()) continue;
      if (column == kHost && at[kHost] == host_by_alias) at[kHost] = kMaxFields;
      if (at[column] != kMaxFields) return "two columns are named " + std::string(kColumns[column]);
      at[column] = i;
    }
    for (std::size_t column = 0; column < kRequired; ++column)
      if (at[column] == kMaxFields) {
        const auto near = base::nearest(kColumns[column], names);
        return "no column " + std::string(kColumns[column]) + (near ? ", but " + in_quotes(*near) : "") +
               "; timestamp, pool, tag and bytes are needed";
      }
    at_ = at;
    width_ = fields_.size();
    return {};
  }

  [[nodiscard]] std::string_view field(Column column) const {
    return at_[column] < fields_.size() ? std::string_view(fields_[at_[column]]) : std::string_view();
  }

  void take_line() {
    const char* const why = fields_.split(lines_.line());
    // Files put one behind another.
    if (why == nullptr && same_word(trimmed(field(kTimestamp)), kColumns[kTimestamp])) {
      const std::string no = take_header();
      is_passed_over_ = !no.empty();
      may_go_on_ = false;
      if (is_passed_over_) notes_.skip(lines_.number(), no + "; the rows below are passed over");
      return;
    }
    // Two jobs wrote into one file.
    const bool is_own =
        may_go_on_ && why == nullptr && fields_.size() == width_ && parse_timestamp(trimmed(field(kTimestamp))).ok();
    if (is_own) is_passed_over_ = false;
    if (is_passed_over_) return;
    std::string reason = why != nullptr ? why
                         : fields_.size() != width_
                             ? std::to_string(fields_.size()) + " fields where the header has " + std::to_string(width_)
                             : take_row();
    if (reason.empty()) return;
    if (const std::string_view other = begins_other(lines_.line()); !other.empty()) {
      is_passed_over_ = true;
      may_go_on_ = !is_table_of_csv(other);
      return notes_.skip(lines_.number(), other_begins(other));
    }
    if (const auto of = subject_of_row()) notes_.skip(lines_.number(), reason, *of);
    else notes_.skip(lines_.number(), reason);
    if (std::exchange(is_there_, false)) return;
    // What the snapshot of this row lacks now is not gone.
    Gaps gaps;
    const std::size_t kind = find_word(kKinds, trimmed(field(kPool)));
    for (std::size_t pool = 0; pool < kPoolCount; ++pool)
      if (kind == pool || kind == kKinds.size() || fields_.size() != width_) gaps.add(static_cast<Pool>(pool));
    if (gaps.pools == 0) return;
    const auto time = parse_timestamp(trimmed(field(kTimestamp)));
    // Of the look in hand, or the first row of the next one.
    if (!time || std::exchange(is_time_refused_, false)) {
      if (current_ != nullptr) add_gaps(*current_, gaps);
      owed_.pools |= gaps.pools;
    }
    if (!time) return;
    const auto host = hosts_.find(base::label_text(trimmed(field(kHost))));
    const auto of = host != hosts_.end() ? host->second.pending.find(*time) : std::map<UnixMillis, Pending>::iterator();
    if (host != hosts_.end() && of != host->second.pending.end()) add_gaps(of->second, gaps);
    else if (why_no_host(trimmed(field(kHost))).empty()) add_early(host_of(trimmed(field(kHost))), *time, gaps);
  }

  // Of a row that cannot be used: where it has all cells, or a pool that is known stands in its place.
  [[nodiscard]] std::optional<RowSubject> subject_of_row() const {
    const std::size_t kind = find_word(kKinds, trimmed(field(kPool)));
    const std::string_view tag = trimmed(field(kTag));
    if ((fields_.size() != width_ && kind == kKinds.size()) || tag.size() > kLongestTag || is_sum_row(tag)) return std::nullopt;
    RowSubject of;
    if (field(kHost).size() <= kLongestHost) of.host = base::label_text(trimmed(field(kHost)));
    if (kind < kPoolCount) of.pool = static_cast<Pool>(kind);
    const bool is_tag = kind < kPoolCount || kind == kKinds.size();
    of.tag = is_tag ? base::label_text(tag) : std::string(kKinds[kind]);
    if (!is_tag) of.kind = RowSubject::Kind::kValue;
    if (!of.pool && of.tag.empty()) return std::nullopt;
    return of;
  }

  void add_early(Host& host, UnixMillis time, const Gaps& gaps) {
    const auto known = host.early_gaps.find(time);
    if (known != host.early_gaps.end()) known->second.pools |= gaps.pools;
    // No room: whatever begins from here on may lack a row.
    else if (early_count_ >= kMostEarly) early_beyond_.pools |= gaps.pools;
    else host.early_gaps[time] = gaps, ++early_count_;
  }

  // Empty, or why not.
  std::string why_no_host(std::string_view text) const {
    if (text.size() > kLongestHost) return "a host longer than " + std::to_string(kLongestHost) + " bytes";
    if (hosts_.size() >= kMostHosts && !hosts_.contains(base::label_text(text))) return "too many hosts";
    return {};
  }

  static void add_gaps(Pending& into, const Gaps& gaps) { into.builder.snapshot().gaps.pools |= gaps.pools; }

  // Empty, or why not.
  std::string take_row() {
    const std::string_view pool = trimmed(field(kPool));
    const std::size_t kind = find_word(kKinds, pool);
    if (kind == kKinds.size()) return "pool " + in_quotes(pool) + " is not known" + hint(pool, kKinds);
    const auto bytes = parse_count(trimmed(field(kBytes)), fields_.separator());
    if (!bytes) return not_a_count(kBytes);
    if (*bytes > kMostPoolBytes) return "bytes " + in_quotes(trimmed(field(kBytes))) + " is more than there can be";
    std::array<std::optional<std::uint64_t>, 3> counts;
    for (const Column column : {kAllocs, kFrees, kOutstanding}) {
      const std::string_view text = trimmed(field(column));
      if (text.empty() && may_be_cut(column)) return kCutAtEnd;
      if (!text.empty() && !(counts[column - kAllocs] = parse_count(text, fields_.separator()))) return not_a_count(column);
    }
    std::optional<UnixMillis> boot_time;
    if (const std::string_view text = trimmed(field(kBootTime)); !text.empty()) {
      const auto parsed = parse_timestamp(text);
      if (!parsed) return "boot_time " + parsed.error().message;
      boot_time = *parsed;
    }
    static const std::string kNoTag;
    const std::string& cell = fields_[at_[kTag]];
    // Four blanks may be the kernel's, others are the separator's.
    const bool is_blank = !cell.empty() && cell.front() == ' ' && cell.size() != kTagLength && trimmed(cell).empty();
    const std::string& tag = is_blank ? kNoTag : cell;
    if (is_sum_row(tag)) {
      if (!std::exchange(told_of_sums_, true)) notes_.warn("rows of " + in_quotes(tag) + " are sums and no tags");
      return {};
    }
    if (tag.size() > kLongestTag) return "a tag longer than " + std::to_string(kLongestTag) + " bytes";
    if (kind >= kPoolCount && !tag.empty()) return std::string(kKinds[kind]) + " has no tags";
    // A time that lost its zone or its minutes is another time.
    if (may_be_cut(kTimestamp) && trimmed(field(kTimestamp)).size() < current_timestamp_.size()) return kCutAtEnd;
    if (may_be_cut(kBootTime)) boot_time.reset();
    // A host that nobody has heard of, where others are known, or whose name is the beginning of another's.
    if (may_be_cut(kHost) && !hosts_.empty()) {
      const std::string host = base::label_text(trimmed(field(kHost)));
      const auto goes_on = [&](const auto& one) { return is_beginning_of(host, one.first); };
      if (!hosts_.contains(host) || std::any_of(hosts_.begin(), hosts_.end(), goes_on)) return kCutAtEnd;
    }
    if (std::string late = find_snapshot(trimmed(field(kTimestamp))); !late.empty()) return late;

    ++current_->rows;
    ++pending_rows_;
    current_in_->last_line = lines_.number();
    Snapshot& snapshot = current_->builder.snapshot();
    if (kind != kCommit && kind != kCommitLimit)
      system_ = kind <= static_cast<std::size_t>(Pool::kNonpaged) || kind == kSystemPtes ? System::kWindows : System::kLinux;
    if (boot_time) snapshot.boot_time = boot_time;
    if (lines_.is_open_ended() && (tag.empty() || kind >= kPoolCount) && is_torn_total(kind, *bytes)) return kCutAtEnd;
    if (kind == kSystemPtes) return once(snapshot.system_ptes_free, *bytes);
    if (kind == kCommit) return once(snapshot.commit_bytes, *bytes);
    if (kind == kCommitLimit) return once(snapshot.commit_limit_bytes, *bytes);
    if (tag.empty()) return take_total(static_cast<Pool>(kind), *bytes, counts[0], counts[1]);
    TagUsage row;
    row.pool = static_cast<Pool>(kind);
    // Blanks beyond the kernel's four letters, or around a tag, are the separator's.
    const bool is_blank_around = tag.size() > kTagLength || (tag.front() == ' ' && tag.back() == ' ' && !trimmed(tag).empty());
    row.tag = base::label_text(is_blank_around ? trimmed(tag) : std::string_view(tag));
    if (is_blank_around && (row.pool == Pool::kPaged || row.pool == Pool::kNonpaged))
      row.tag.resize(std::max(row.tag.size(), kTagLength), ' ');
    row.bytes = *bytes;
    row.has_outstanding = counts[2].has_value();
    if (counts[0] && counts[1]) {
      row.counter_bits = 64;
      set_counters(row, *counts[0], *counts[1]);
    }
    if (counts[2]) row.outstanding = *counts[2];
    if (lines_.is_open_ended() && is_torn(row)) return kCutAtEnd;
    const char* const why = current_->builder.add(std::move(row));
    is_there_ = why != nullptr;
    return why != nullptr ? why : "";
  }

  /// The file ends in this column without an end of the line. What is between quotes is whole.
  [[nodiscard]] bool may_be_cut(Column column) const {
    return lines_.is_open_ended() && at_[column] + 1 == width_ && !lines_.line().ends_with('"');
  }

  static constexpr std::uint64_t kMuchLess = 5;  // times: no number falls as far as one that loses a digit

  [[nodiscard]] const Snapshot* snapshot_before() const {
    const std::map<UnixMillis, Pending>& pending = current_in_->pending;
    const Snapshot* before = nullptr;
    for (auto one = pending.begin(); one != pending.end() && &one->second != current_; ++one)
      before = &one->second.builder.snapshot();
    return before;
  }

  // The file's last row has no end, and its snapshot fewer rows than the one before, or less in the cell that may be cut.
  bool is_torn(const TagUsage& row) {
    const Snapshot* const before = snapshot_before();
    if (before == nullptr) return false;
    if (current_->builder.snapshot().tags.size() + 1 < before->tags.size()) return true;
    const auto one = std::find_if(before->tags.begin(), before->tags.end(),
                                  [&](const TagUsage& each) { return each.pool == row.pool && each.tag == row.tag; });
    // A name that is new there may be a part of one.
    if (one == before->tags.end()) return may_be_cut(kTag) && !before->tags.empty();
    if (may_be_cut(kBytes)) return row.bytes < one->bytes / kMuchLess;
    if (may_be_cut(kOutstanding)) return row.outstanding < one->outstanding / kMuchLess;
    if (row.counter_bits == 0 || one->counter_bits == 0) return false;
    // Counters fall together, at a boot.
    if (may_be_cut(kFrees))
      return row.frees < one->frees / kMuchLess || (row.frees < one->frees && row.allocations >= one->allocations);
    if (may_be_cut(kAllocs)) return row.allocations < row.frees || row.allocations < one->allocations / kMuchLess;
    return false;
  }

  // A total without a tag may be of a tag that was cut off, too.
  [[nodiscard]] bool is_torn_total(std::size_t kind, std::uint64_t bytes) const {
    const Snapshot* const before = snapshot_before();
    if (before == nullptr) return false;
    const auto is_much_less = [&](const std::optional<std::uint64_t>& than) {
      if (may_be_cut(kTag) && kind < kPoolCount) return !than.has_value() && !before->tags.empty();
      return may_be_cut(kBytes) && than.has_value() && bytes < *than / kMuchLess;
    };
    if (kind == kSystemPtes) return is_much_less(before->system_ptes_free);
    if (kind == kCommit) return is_much_less(before->commit_bytes);
    if (kind == kCommitLimit) return is_much_less(before->commit_limit_bytes);
    for (const PoolTotals& pool : before->pools)
      if (pool.pool == static_cast<Pool>(kind)) return is_much_less(pool.bytes);
    return is_much_less(std::nullopt);
  }

  std::string take_total(Pool pool, std::uint64_t bytes, std::optional<std::uint64_t> allocations,
                         std::optional<std::uint64_t> frees) {
    PoolTotals& totals = current_->builder.totals(pool);
    if (std::string again = once(totals.bytes, bytes); !again.empty()) return again;
    const auto raw = [](std::optional<std::uint64_t> count) {
      return count && *count <= std::numeric_limits<std::uint32_t>::max() ? std::optional(static_cast<std::uint32_t>(*count))
                                                                          : std::nullopt;
    };
    totals.allocations = raw(allocations);
    totals.frees = raw(frees);
    return {};
  }

  static std::string once(std::optional<std::uint64_t>& into, std::uint64_t value) {
    if (into) return "the snapshot has this total already";
    into = value;
    return {};
  }

  std::string not_a_count(Column column) const {
    const std::string_view text = trimmed(field(column));
    if (text.empty()) return std::string(kColumns[column]) + " is empty";
    const bool two = parse_number(text, fields_.separator() == ',').fault == NumberFault::kTwoValues;
    return std::string(kColumns[column]) + " " + in_quotes(text) +
           (two ? " may part thousands or decimals" : " is not a count");
  }

  // Sets current_, or says why not.
  std::string find_snapshot(std::string_view timestamp) {
    const std::string_view host_text = trimmed(field(kHost));
    if (current_ != nullptr && timestamp == current_timestamp_ && host_text == current_host_) return {};
    const auto time = parse_timestamp(timestamp);
    if (!time && timestamp.empty()) return "timestamp is empty";
    if (!time && parse_date_line(timestamp).numeric)
      return "timestamp " + in_quotes(timestamp) + " is a date as spreadsheets show it; write it as 2026-11-05T18:00:00Z";
    if (!time) return "timestamp " + time.error().message;
    if (std::string no = why_no_host(host_text); !no.empty()) return no;
    Host& host = host_of(host_text);
    if (host.given && *time <= *host.given && !any_order_) {
      if (*time < *host.given && !std::exchange(host.fell, true)) ++fallen_hosts_;
      is_time_refused_ = true;
      note_fall(host, *time);
      return "timestamp " + in_quotes(timestamp) + " goes back more than " + std::to_string(kWindow) +
             " snapshots; sort the rows by timestamp";
    }
    const auto [found, is_new] = host.pending.try_emplace(*time);
    if (is_new) {
      found->second.line = lines_.number();
      any_rose_ |= std::next(found) == host.pending.end() && (found != host.pending.begin() || host.given);
      if (const auto early = host.early_gaps.find(*time); early != host.early_gaps.end()) {
        add_gaps(found->second, early->second);
        host.early_gaps.erase(early);
        --early_count_;
      }
      add_gaps(found->second, early_beyond_);
      add_gaps(found->second, std::exchange(owed_, {}));
      ++pending_count_;
      if (host.place) waiting_.erase(*host.place);
      host.place = waiting_.insert(waiting_.end(), &host);
      for (; waiting_.front()->pending.empty(); waiting_.pop_front()) waiting_.front()->place.reset();
      Host& longest = *waiting_.front();
      const bool is_much = pending_rows_ > kMostPendingRows && longest.last_line + kStaleRows < lines_.number();
      if (host.pending.size() > kWindow) full_ = &host;
      else if ((pending_count_ > kMostPending || is_much) && &longest != &host) full_ = &longest;
    }
    if (!any_order_) leave_far_ahead(host, *time, found->second);
    current_ = &found->second;
    current_in_ = &host;
    current_timestamp_ = timestamp;
    current_host_ = host_text;
    return {};
  }

  // Rows that go back and rise stand in another order: by tag, or an older file behind a newer one.
  void note_fall(Host& host, UnixMillis time) {
    constexpr UnixMillis kYearMs = 365 * base::kDayMillis;
    constexpr int kRun = 2;
    // The same time again, behind rows that were in order: of another tag.
    if (time == host.fell_to && lines_.number() > host.fell_line + 1) is_unsorted_ = true;
    host.fell_line = lines_.number();
    if (*host.given - time > kYearMs || time == host.fell_to) return;
    host.fallen = host.fallen > 0 && time > host.fell_to ? host.fallen + 1 : 1;
    host.fell_to = time;
    is_unsorted_ |= host.fallen >= kRun;
  }

  // A time that the next rows take back by more than a day is a slip: its rows are of the look above it or the one below.
  static void leave_far_ahead(Host& host, UnixMillis time, Pending& now) {
    const auto slip = host.pending.find(host.last_times[1]);
    if (slip != host.pending.end() && host.last_times[1] - time > base::kDayMillis) {
      Gaps gaps;
      for (const TagUsage& tag : slip->second.builder.snapshot().tags) gaps.add(tag.pool);
      add_gaps(now, gaps);
      const auto above = host.pending.find(host.last_times[0]);
      if (above != host.pending.end()) add_gaps(above->second, gaps);
    }
    host.last_times = {host.last_times[1], time};
  }

  LineReader lines_;
  FileNotes notes_;
  CsvFields fields_;
  std::array<std::size_t, kColumns.size()> at_{};
  std::size_t width_ = 0;
  std::map<std::string, Host> hosts_;
  std::list<Host*> waiting_;                                            // the one whose last new time came first
  std::size_t pending_count_ = 0, pending_rows_ = 0, early_count_ = 0;  // of all hosts
  std::size_t fallen_hosts_ = 0;
  bool any_rose_ = false;
  bool is_unsorted_ = false;
  bool is_time_refused_ = false;  // of the row in hand: it goes back
  Gaps owed_;                     // to the next look
  Gaps early_beyond_;             // of refused rows that there was no room for
  Host* full_ = nullptr;          // whose window is
  Pending* current_ = nullptr;
  Host* current_in_ = nullptr;
  std::string current_timestamp_, current_host_, host_;
  std::uint64_t line_ = 0;
  System system_ = System::kLinux;
  bool is_there_ = false;  // what the row tells
  bool told_of_sums_ = false;
  bool is_passed_over_ = false;  // what comes, up to the next header
  bool may_go_on_ = false;       // or up to the next row of its own
  bool any_order_, is_newest_first_ = false;
  bool ended_ = false;
};

}  // namespace

std::optional<char> csv_separator(std::string_view line) {
  for (const char separator : kSeparators) {
    CsvFields fields(separator);
    if (fields.split(line) != nullptr) continue;
    std::size_t known = 0;
    for (std::size_t i = 0; i < fields.size(); ++i) known += find_word(kColumns, trimmed(fields[i])) < kColumns.size();
    if (known >= 2) return separator;
  }
  return std::nullopt;
}

bool has_all_columns(std::string_view line) {
  const auto separator = csv_separator(line);
  if (!separator) return false;
  CsvFields fields(*separator);
  (void)fields.split(line);
  std::set<std::size_t> there;
  for (std::size_t i = 0; i < fields.size(); ++i) there.insert(find_word(kColumns, trimmed(fields[i])));
  for (std::size_t column = 0; column < kRequired; ++column)
    if (!there.contains(column)) return false;
  return true;
}

Reader make_csv_history(LineReader lines, FileNotes notes, char separator, bool any_order) {
  auto reader = std::make_unique<CsvHistory>(std::move(lines), std::move(notes), separator, any_order);
  if (auto header = reader->read_header(); !header) return header.error();
  return std::unique_ptr<SnapshotReader>(std::move(reader));
}

}  // namespace kmem::history
