#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>

#include "collectors/boot_settings.h"
#include "exporter/commands/backfill.h"
#include "exporter/encode/writer.h"
#include "exporter/metrics/catalogue.h"
#include "exporter/metrics/families.h"
#include "exporter/select/tracked_set.h"

namespace kmem {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using prometheus::MetricType;

/// The history from its first snapshot to its last; gives how many there were.
Result<std::uint64_t> for_each_snapshot(base::FileSystem& files, const std::vector<std::string>& paths,
                                        const history::HistoryOptions& options, ProgressMeter& progress,
                                        const std::function<void(Snapshot&)>& visit, BackfillDone* notes = nullptr) {
  auto source = history::open_history(files, paths, options);
  if (!source) return source.error();
  Snapshot snapshot;
  std::uint64_t count = 0;
  do {
    if (const auto read = (*source)->read(snapshot); !read) return read.error();
    visit(snapshot);
    progress.update((*source)->progress(), ++count);
  } while ((*source)->advance());
  progress.finish();
  if (notes != nullptr) {
    notes->skipped = (*source)->skipped();
    notes->skipped_count = (*source)->skipped_count();
    notes->warnings = (*source)->warnings();
    notes->learned = (*source)->learned();
  }
  return count;
}

/// What is exported of the tags, the most wanted first, as the end of the history shows it.
class Choice {
 public:
  explicit Choice(const BackfillOptions& options)
      : options_(options), sampler_(options.analysis.sampler), engine_(options.analysis.engine),
        tracked_(options.tags, options.processes) {}

  void see(Snapshot& snapshot) {
    const Boot& boot = boots_.note(snapshot);
    settings_.note(snapshot, boot);
    engine_.observe(sampler_.take(snapshot, boot));
    tracked_.update(snapshot, {}, boot);
    tracked_.fill(snapshot, selection_, boot);
  }

  [[nodiscard]] std::vector<select::TagId> take() {
    engine_.settle();
    std::vector<select::TagId> tags;
    std::array<std::size_t, kPoolCount> counts{};
    const auto add = [&](Pool pool, const std::string& tag) {
      std::size_t& count = counts[static_cast<std::size_t>(pool)];
      const select::TagId id{pool, tag};
      if (count >= options_.tags.max_exported || std::find(tags.begin(), tags.end(), id) != tags.end()) return;
      tags.push_back(id);
      ++count;
    };
    for (const trend::SubjectReport& report : engine_.report(false))
      if (report.kind == trend::Kind::kTag) add(report.pool, report.text);
    for (const select::Member& member : selection_.members) add(member.pool, member.tag);
    return tags;
  }

 private:
  const BackfillOptions& options_;
  Boots boots_;
  BootSettings settings_;
  trend::Sampler sampler_;
  trend::TrendEngine engine_;
  select::TrackedSet tracked_;
  select::Selection selection_;
};

struct Key {
  std::size_t row = 0;  // in the catalogue
  std::string labels;   // as on the page
  auto operator<=>(const Key&) const = default;
};
struct Point {
  base::UnixMillis time = 0;
  double value = 0;
};

/// Samples of the first series in the page's order, as many series as have room, from `from` on.
class Series {
 public:
  Series(std::size_t max_points, const Key& from) : max_points_(max_points), from_(from) {}

  void add(Key key, Point point) {
    if (key < from_ || (next_ && !(key < *next_))) return;
    points_[std::move(key)].push_back(point);
    // One series always stays, or the history could never be written.
    if (++count_ <= max_points_ || points_.size() == 1) return;
    const auto last = std::prev(points_.end());
    count_ -= last->second.size();
    next_ = last->first;
    points_.erase(last);
  }
  [[nodiscard]] const std::map<Key, std::vector<Point>>& points() const { return points_; }
  /// The first that had no room.
  [[nodiscard]] const std::optional<Key>& next() const { return next_; }

 private:
  std::size_t max_points_;
  Key from_;
  std::map<Key, std::vector<Point>> points_;
  std::size_t count_ = 0;
  std::optional<Key> next_;
};

/// What a recording did not count at that time reads 0 in a Selection, or as it was before; it is left out here.
class Uncounted {
 public:
  explicit Uncounted(const Snapshot& snapshot) {
    for (const TagUsage& tag : snapshot.tags) {
      if (tag.counter_bits != 0) with_counters_.insert({pool_name(tag.pool), tag.tag});
      if (tag.has_outstanding) continue;
      tags_.insert({pool_name(tag.pool), tag.tag});
      pools_.insert(pool_name(tag.pool));
    }
  }
  [[nodiscard]] bool has(std::string_view metric, const prometheus::ClientMetric& sample) const {
    if (metric == "kmem_pool_tag_allocations_total" || metric == "kmem_pool_tag_frees_total")
      return !with_counters_.contains({sample.label[0].value, sample.label[1].value});
    if (tags_.empty()) return false;
    if (metric == "kmem_pool_other_outstanding_allocations") return pools_.contains(sample.label[0].value);
    if (metric != "kmem_pool_tag_outstanding_allocations") return false;
    return tags_.contains({sample.label[0].value, sample.label[1].value}) ||
           (sample.gauge.value == 0 && pools_.contains(sample.label[0].value));
  }

 private:
  std::set<std::pair<std::string_view, std::string_view>> tags_, with_counters_;
  std::set<std::string_view> pools_;
};

/// About reading the kernel, or about this program: of no meaning for another's recording.
bool is_own(std::string_view metric) { return metric.starts_with("kmem_scrape_") || metric == "kmem_pool_tag_evictions_total"; }

class Sampling {
 public:
  Sampling(const BackfillOptions& options, std::span<const select::TagId> tags, Series& series)
      : tags_(tags), labels_(options.labels), counters_(options.tags.counters), series_(series),
        tracked_(options.tags, options.processes) {
    for (std::size_t row = 0; row < metrics::catalogue().size(); ++row) rows_.emplace(metrics::catalogue()[row].name, row);
  }

  void see(Snapshot& snapshot) {
    const Boot& boot = boots_.note(snapshot);
    settings_.note(snapshot, boot);
    tracked_.update(snapshot, tags_, boot);
    tracked_.fill(snapshot, selection_, boot);
    metrics::build_families({snapshot, selection_, counters_}, families_);
    const Uncounted uncounted(snapshot);
    for (const prometheus::MetricFamily& family : families_) {
      if (is_own(family.name)) continue;
      const std::size_t row = rows_.at(family.name);
      for (const prometheus::ClientMetric& metric : family.metric) {
        if (uncounted.has(family.name, metric)) continue;
        const bool is_counter = family.type == MetricType::Counter;
        series_.add({row, labels_text(metric)}, {snapshot.time, is_counter ? metric.counter.value : metric.gauge.value});
      }
    }
  }

 private:
  [[nodiscard]] std::string labels_text(const prometheus::ClientMetric& metric) const {
    std::string text;
    if (metric.label.empty() && labels_.empty()) return text;
    {
      encode::Writer writer(text);
      char before = '{';
      const auto put = [&](std::string_view name, std::string_view value) {
        writer.text(before);
        writer.text(name);
        writer.text("=\"");
        writer.escaped(value, true);
        writer.text('"');
        before = ',';
      };
      for (const auto& label : metric.label) put(label.name, label.value);
      for (const auto& [name, value] : labels_) put(name, value);
      writer.text('}');
    }
    text.shrink_to_fit();
    return text;
  }

  std::span<const select::TagId> tags_;
  const std::vector<std::pair<std::string, std::string>>& labels_;
  bool counters_;
  Series& series_;
  Boots boots_;
  BootSettings settings_;
  select::TrackedSet tracked_;
  select::Selection selection_;
  std::vector<prometheus::MetricFamily> families_;
  std::unordered_map<std::string_view, std::size_t> rows_;
};

/// A new file beside the output that takes its place when whole; a pipe or device is written at once.
class Page {
 public:
  Page(base::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~Page() {
    if (!file_) return;
    file_.reset();
    if (!temporary_.empty()) (void)files_.remove(temporary_);
  }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  Result<void> open() {
    auto place = files_.place_of(path_);
    if (!place) return place.error();
    if (place->is_replaceable) {
      path_ = std::move(place->path);
      temporary_ = path_ + ".tmp";
    }
    auto opened =
        temporary_.empty() ? files_.open(path_, base::OpenMode::kWrite) : files_.open(temporary_, base::OpenMode::kRewrite);
    if (!opened) return opened.error();
    file_ = std::move(*opened);
    return {};
  }

  Result<void> write(const Key& key, const std::vector<Point>& points) {
    const metrics::MetricRow& row = metrics::catalogue()[key.row];
    std::string text;
    encode::Writer writer(text);
    if (row_ != key.row) head(writer, row);
    row_ = key.row;
    for (const Point& point : points) {
      writer.text(row.name);
      writer.text(key.labels);
      writer.text(' ');
      writer.number(point.value);
      writer.text(' ');
      seconds(writer, point.time);
      writer.text('\n');
    }
    return file_->append(std::string_view(text).substr(0, writer.used()));
  }

  Result<void> finish() {
    if (auto put = file_->append("# EOF\n"); !put) return put;
    if (auto synced = file_->sync(); !synced) return synced;
    if (!temporary_.empty())
      if (auto renamed = files_.rename(temporary_, path_); !renamed) return renamed;
    file_.reset();
    return {};
  }

 private:
  static void head(encode::Writer& writer, const metrics::MetricRow& row) {
    const bool is_counter = row.type == MetricType::Counter;
    std::string_view name = row.name;
    if (is_counter && name.ends_with("_total")) name.remove_suffix(6);
    const auto line = [&](std::string_view keyword, std::string_view text) {
      for (const std::string_view piece : {std::string_view("# "), keyword, std::string_view(" "), name, std::string_view(" ")})
        writer.text(piece);
      writer.escaped(text, true);
      writer.text('\n');
    };
    line("HELP", row.help);
    line("TYPE", is_counter ? "counter" : "gauge");
    if (!row.unit.empty() && name.ends_with(row.unit)) line("UNIT", row.unit);
  }
  static void seconds(encode::Writer& writer, base::UnixMillis time) {
    const auto fraction = static_cast<int>(((time % 1000) + 1000) % 1000);
    writer.integer((time - fraction) / 1000);
    if (fraction == 0) return;
    const auto digit = [](int value) { return static_cast<char>('0' + value % 10); };
    const std::array<char, 4> text = {'.', digit(fraction / 100), digit(fraction / 10), digit(fraction)};
    writer.text({text.data(), text.size()});
  }

  base::FileSystem& files_;
  std::string path_, temporary_;  // no temporary one: written through
  std::unique_ptr<base::File> file_;
  std::optional<std::size_t> row_;
};

}  // namespace

Result<BackfillDone> backfill_history(base::FileSystem& files, const std::vector<std::string>& paths, const std::string& output,
                                      const BackfillOptions& options, ProgressMeter& progress) {
  BackfillDone done;
  history::HistoryOptions reading = options.analysis.history;
  std::vector<select::TagId> tags;
  for (bool is_learning = true; is_learning;) {
    Choice choice(options);
    progress.start("choosing tags");
    const auto first = for_each_snapshot(
        files, paths, reading, progress, [&](Snapshot& snapshot) { choice.see(snapshot); }, &done);
    if (!first) return Error{ErrorCode::kInvalid, first.error().message};
    done.snapshots = *first;
    is_learning = ++done.readings < history::kMostLooks && done.learned != reading.learned;
    reading.learned = done.learned;
    tags = choice.take();
  }

  bool any_value = false;
  Page page(files, output);
  if (const auto opened = page.open(); !opened) return opened.error();
  for (std::optional<Key> from = Key{}; from;) {
    Series series(options.max_points, *from);
    Sampling sampling(options, tags, series);
    progress.start("writing, reading " + std::to_string(++done.readings));
    const auto seen = for_each_snapshot(files, paths, reading, progress, [&](Snapshot& snapshot) { sampling.see(snapshot); });
    if (!seen) return seen.error();
    if (*seen != done.snapshots) return Error{ErrorCode::kIo, "the history changed while it was read"};
    for (const auto& [key, points] : series.points()) {
      if (const auto put = page.write(key, points); !put) return put.error();
      any_value |= metrics::catalogue()[key.row].name != "kmem_boot_time_seconds";
      ++done.series;
      done.samples += points.size();
    }
    from = series.next();
  }
  if (!any_value) return Error{ErrorCode::kInvalid, nothing_to_judge(done.skipped, done.skipped_count)};
  if (const auto finished = page.finish(); !finished) return finished.error();
  return done;
}

}  // namespace kmem
