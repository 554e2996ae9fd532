// `sadf -j -- -r ALL`: sysstat's hosts, each with statistics (timestamp, memory) and restarts. Restarts stand behind
// the statistics, so a host is read whole before its first snapshot; a day has at most 86,400 of them.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <utility>
#include <vector>

#include "collectors/history/csv_fields.h"
#include "collectors/history/json_scan.h"
#include "collectors/history/sar_memory.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/time_text.h"
#include "collectors/history/zone_names.h"

namespace kmem::history {
namespace {

using base::Result;
using base::UnixMillis;
using Token = JsonScan::Token;

constexpr std::size_t kMostSnapshots = 200'000;

class SadfJson final : public SnapshotReader {
 public:
  SadfJson(std::unique_ptr<base::File> file, FileNotes notes) : scan_(std::move(file)), notes_(std::move(notes)) {}

  Result<bool> next(Snapshot& out) override {
    while (ready_.empty()) {
      if (is_ended_) return false;
      const auto token = scan_.next();
      if (!token) return token.error();
      if (*token == Token::kEnd || *token == Token::kBroken) {
        end(*token);
        finish_host();
      } else if (auto read = walk(*token, ""); !read) {
        return read.error();
      } else {
        finish_host();
      }
    }
    out = std::move(ready_.front().snapshot);
    host_ = std::move(ready_.front().host);
    ready_.pop_front();
    return true;
  }

  [[nodiscard]] std::uint64_t line() const override { return scan_.line(); }
  [[nodiscard]] const std::string& host() const override { return host_; }

 private:
  struct Ready {
    std::string host;
    Snapshot snapshot;
  };
  struct Stamp {
    std::string date, time;
    bool is_utc = false;
  };

  void end(Token token) {
    if (is_ended_) return;
    is_ended_ = true;
    if (token == Token::kBroken) notes_.skip(scan_.line(), "no JSON from here on: " + std::string(scan_.why()));
  }

  Result<Token> take() {
    auto token = scan_.next();
    if (token && (*token == Token::kBroken || *token == Token::kEnd)) end(*token);
    return token;
  }

  // A value to its end; `key` is what it stands behind.
  Result<void> walk(Token token, const std::string& key) {
    if (token == Token::kArray) {
      for (;;) {
        const auto item = take();
        if (!item) return item.error();
        if (is_ended_ || *item == Token::kArrayEnd) return {};
        if (auto read = walk(*item, key); !read) return read;
        if (key == "hosts") finish_host();
      }
    }
    if (token != Token::kObject) {
      const std::string text(scan_.text());
      leaf(key, text);
      return {};
    }
    if (key == "timestamp" || key == "boot") stamp_ = {};
    const bool outer = std::exchange(in_memory_, in_memory_ || key == "memory");
    const bool is_entry = key == "statistics";
    if (is_entry) {
      in_entry_ = true;
      time_.reset();
    }
    if (key == "memory") {
      builder_ = {};
      last_.reset();
      has_values_ = false;
    }
    for (;;) {
      const auto name = take();
      if (!name) return name.error();
      if (is_ended_ || *name == Token::kObjectEnd) break;
      const std::string inner(scan_.text());
      const auto value = take();
      if (!value) return value.error();
      if (!is_ended_)
        if (auto read = walk(*value, inner); !read) return read;
      if (is_ended_) break;
    }
    in_memory_ = outer;
    if (key == "memory") keep_last();
    if (is_ended_ && !is_entry) return {};
    if (key == "timestamp") time_ = time_of(stamp_);
    if (key == "boot") {
      if (const auto boot = time_of(stamp_)) boots_.push_back(*boot);
    }
    // Its time may stand behind it.
    if (is_entry) in_entry_ = false;
    if (is_entry || (key == "memory" && !in_entry_)) memory();
    return {};
  }

  void leaf(const std::string& key, const std::string& text) {
    if (key == "nodename") name_ = sar_host_label(text);
    if (key == "date") stamp_.date = text;
    if (key == "time") stamp_.time = text;
    if (key == "utc") stamp_.is_utc = text == "1" || text == "true";
    if (key == "timezone") zone_ = zone_named(text);
    if (!in_memory_) return;
    keep_last();
    const auto value = sar_json_value(key);
    if (!value) return;
    if (const auto bytes = parse_sar_amount(text)) {
      last_ = {*value, *bytes};
    } else {
      notes_.skip(scan_.line(), key + " " + in_quotes(text) + " is not a count of kB", sar_subject(name_, *value));
    }
  }

  // Where another file begins behind a number it may be the beginning of a longer one.
  void keep_last() {
    const auto last = std::exchange(last_, std::nullopt);
    if (!last) return;
    if (is_ended_ && scan_.why() == JsonScan::kNoComma) return notes_.lose(sar_subject(name_, last->first));
    set_sar_value(last->first, last->second, builder_);
    has_values_ = true;
  }

  std::optional<UnixMillis> time_of(const Stamp& stamp) {
    if (!stamp.is_utc && !zone_ && !std::exchange(told_of_zone_, true)) notes_.warn("times without a zone are taken as UTC");
    const auto time = parse_timestamp(stamp.date + "T" + stamp.time + "Z");
    if (!time) notes_.skip(scan_.line(), "time " + in_quotes(stamp.date + " " + stamp.time) + " is not understood");
    notes_.timed_by("timestamp of each entry");
    if (!time) return std::nullopt;
    return stamp.is_utc || !zone_ ? *time : *time - std::int64_t{minutes_east(*zone_, *time)} * 60'000;
  }

  void memory() {
    Snapshot snapshot = builder_.take();
    if (!std::exchange(has_values_, false)) return;
    if (!time_) {
      notes_.skip(scan_.line(), "memory without a timestamp");
      return;
    }
    if (!snapshot.tags.empty() && !std::exchange(told_of_slab_, true)) notes_.warn(std::string(kSarSlabWarning));
    snapshot.system = System::kLinux;
    snapshot.time = *time_;
    if (entries_.size() < kMostSnapshots) entries_.push_back(std::move(snapshot));
    else notes_.skip(scan_.line(), "more entries than a file of days has");
  }

  void finish_host() {
    // A day's file tells of its own restarts; the days behind it are of the same boot.
    if (boot_before_ && boot_host_ == name_) boots_.push_back(*boot_before_);
    std::sort(boots_.begin(), boots_.end());
    for (Snapshot& snapshot : entries_) {
      const auto after = std::upper_bound(boots_.begin(), boots_.end(), snapshot.time);
      if (after != boots_.begin()) snapshot.boot_time = *std::prev(after);
      ready_.push_back({name_, std::move(snapshot)});
    }
    boot_before_ = boots_.empty() ? std::nullopt : std::optional(boots_.back());
    boot_host_ = name_;
    entries_.clear();
    boots_.clear();
    time_.reset();
    zone_.reset();
  }

  JsonScan scan_;
  FileNotes notes_;
  std::string name_, host_;
  Stamp stamp_;
  std::optional<UnixMillis> time_;
  std::optional<Zone> zone_;                                // of local times
  std::optional<std::pair<SarValue, std::uint64_t>> last_;  // the value in hand
  bool in_entry_ = false;
  SnapshotBuilder builder_;
  std::vector<Snapshot> entries_;
  std::vector<UnixMillis> boots_;
  std::optional<UnixMillis> boot_before_;  // the last that was told of, and whose it is
  std::string boot_host_;
  std::deque<Ready> ready_;
  bool in_memory_ = false;
  bool has_values_ = false;
  bool told_of_zone_ = false;
  bool told_of_slab_ = false;
  bool is_ended_ = false;
};

}  // namespace

Reader make_sadf_json(std::unique_ptr<base::File> file, FileNotes notes) {
  return std::unique_ptr<SnapshotReader>(std::make_unique<SadfJson>(std::move(file), std::move(notes)));
}

}  // namespace kmem::history
