// Series of Prometheus, one behind the other in any order -> Snapshots, a host each, in time order over all hosts.
// A host is what the labels besides the metric's own and `job` say, `instance` before all. Memory: kMaxPoints samples;
// when more come, every series is thinned to the floors of longer and longer times, up to an hour, and then what is
// new is left out and counted. Thread: one. Failure: a series that means nothing here is told so and left out.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/history/metric_meaning.h"
#include "collectors/history/notes.h"
#include "collectors/history/snapshot_builder.h"

namespace kmem::history {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// `instance`, else another label that names a host; empty when none does.
[[nodiscard]] std::string_view host_label(const Labels& labels);

class SeriesStore {
 public:
  static constexpr std::size_t kMaxPoints = 2'000'000;  // of 16 bytes
  static constexpr std::size_t kMaxSeries = 200'000;

  struct Point {
    base::UnixMillis time = 0;
    double value = 0;
  };

  /// `is_part`: of a history that others of the same series go on with. Jobs that differ are not told apart then, for
  /// the next part may not show it.
  explicit SeriesStore(std::size_t max_points = kMaxPoints, bool is_part = false)
      : max_points_(max_points), is_part_(is_part) {}

  /// A series begins or goes on; empty, or why it is left out: then its points are nobody's.
  [[nodiscard]] std::string begin(const Labels& labels);
  /// A point of that series. What is no amount (NaN, negative, infinite) is no point; all but NaN, which stands for
  /// nothing there, is counted.
  void add(base::UnixMillis time, double value);
  /// A point of it that could not be read.
  void lose();
  /// Points that are not in the snapshots, by what they are of; of hosts as they are named after finish().
  [[nodiscard]] std::vector<std::pair<RowSubject, std::uint64_t>> lost() const;

  /// All is there.
  void finish();
  /// False at the end.
  bool next(Snapshot& out);
  [[nodiscard]] const std::string& host() const { return host_; }

  [[nodiscard]] std::size_t series() const { return series_.size(); }
  /// What the series of node_exporter's slab caches need beside them, and nobody asked for; empty: nothing.
  [[nodiscard]] std::string caches_lack() const;
  [[nodiscard]] bool are_all_caches() const;
  [[nodiscard]] std::uint64_t points() const { return points_seen_; }
  [[nodiscard]] std::uint64_t points_left_out() const { return left_out_; }
  [[nodiscard]] std::uint64_t no_amounts() const { return no_amounts_; }
  /// A process' series told no pid.
  [[nodiscard]] bool any_made_up_pid() const { return any_made_up_pid_; }
  /// Samples of one subject and one time with another value than the first, which is used; of the first one what it is of.
  struct Doubled {
    std::uint64_t samples = 0;
    std::string series;
    base::UnixMillis time = 0;
    double used = 0, other = 0;
  };
  [[nodiscard]] const Doubled& doubled() const { return doubled_; }
  /// Over how long each value is a floor, after thinning; 0: as it came.
  [[nodiscard]] std::int64_t thinned_to_ms() const { return width_ms_; }
  /// Instances for which several series say the same, as two jobs do.
  [[nodiscard]] const std::vector<std::string>& doubted() const { return doubted_; }
  /// Instances whose jobs differ in what they say: a host each, but in parts.
  [[nodiscard]] const std::vector<std::string>& of_several_jobs() const { return of_several_jobs_; }

 private:
  struct Series {
    const MetricMeaning* meaning = nullptr;
    Pool pool = Pool::kPaged;
    std::string subject;
    std::uint64_t pid = 0;
    std::size_t target = 0;
    std::vector<Point> points;
    std::size_t cursor = 0;
    std::size_t row = 0;
    std::uint64_t lost = 0;  // points
  };
  struct Target {  // who is scraped
    std::string instance;
    std::string others;  // its other labels
    std::string job;
    std::string replica;  // of Prometheus, which scraped it
    std::string node;     // that it runs on, where labels tell
  };
  enum class Twins : std::uint8_t { kApart, kSame, kDiffer };
  static constexpr std::size_t kParts = 5;
  struct Row {  // a tag, cache or process
    enum class Kind : std::uint8_t { kTag, kCache, kProcess } kind = Kind::kTag;
    Pool pool = Pool::kPaged;
    std::string subject;
    std::uint64_t pid = 0;
    std::optional<double> parts[kParts];
  };
  struct Host {
    std::string name;
    std::vector<std::size_t> series;
    std::vector<Row> rows;
    base::UnixMillis next_time = 0;
  };

  void find_doubled(const Series& series);
  Twins compare(const Series& used, const Series& other);
  void contradict(const Series& series, const Point& used, const Point& other);
  void thin();
  void collapse(Series& series) const;
  [[nodiscard]] bool follow_one_another(const std::vector<std::size_t>& targets) const;
  void merge_replicas();
  void name_by_nodes();
  void make_hosts();
  void set_rows(Host& host);
  void schedule(Host& host);
  void take_value(Host& host, Series& series, double value, SnapshotBuilder& out);
  static void add_rows(Host& host, SnapshotBuilder& out);

  std::size_t max_points_;
  bool is_part_;
  std::vector<Series> series_;
  std::map<std::string, std::size_t, std::less<>> by_labels_;
  std::vector<Target> targets_;
  std::map<std::array<std::string, 4>, std::size_t> by_target_;  // instance, others, job, replica
  std::size_t current_ = SIZE_MAX;
  std::size_t points_ = 0;
  std::uint64_t points_seen_ = 0;
  std::uint64_t left_out_ = 0, no_amounts_ = 0;
  bool any_made_up_pid_ = false;
  std::int64_t width_ms_ = 0;
  std::vector<std::string> doubted_, of_several_jobs_;
  Doubled doubled_;

  std::vector<Host> hosts_;
  std::vector<std::pair<base::UnixMillis, std::size_t>> heap_;  // of hosts, the earliest first
  std::string host_;
};

}  // namespace kmem::history
