#include "collectors/history/series_store.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/history/notes.h"
#include "collectors/history/slab_size.h"
#include "collectors/made_up_pid.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::array<std::int64_t, 7> kWidthsMinutes = {1, 2, 5, 10, 20, 30, 60};  // all part the hour
constexpr std::size_t kLongestSubject = 256;
constexpr std::array<std::string_view, 6> kHostLabels = {"instance", "nodename", "hostname", "host", "node", "server"};

constexpr std::array<std::string_view, 3> kReplicaLabels = {"prometheus_replica", "__replica__", "replica"};
constexpr std::array<std::string_view, 4> kNodeLabels = {"node", "kubernetes_node", "nodename", "host"};

template <std::size_t kCount>
bool is_among_labels(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// "10.0.0.1:9100", as a pod has it, which is another one each time it starts.
bool is_address_with_port(std::string_view instance) {
  const std::string_view address = instance.substr(0, instance.rfind(':'));
  return !address.empty() && std::count(address.begin(), address.end(), '.') == 3 &&
         address.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string_view label_of(const Labels& labels, std::string_view name) {
  const auto found = std::find_if(labels.begin(), labels.end(), [&](const auto& one) { return one.first == name; });
  return found != labels.end() ? std::string_view(found->second) : std::string_view();
}

std::optional<Pool> pool_of(std::string_view name) {
  const auto found = std::find(kPoolNames.begin(), kPoolNames.end(), name);
  return found != kPoolNames.end() ? std::optional(static_cast<Pool>(found - kPoolNames.begin())) : std::nullopt;
}

std::optional<std::uint64_t> whole(double value) {
  return value < 1.8e19 ? std::optional(static_cast<std::uint64_t>(std::llround(std::min(value, 9.2e18)))) : std::nullopt;
}

void set_once(std::optional<std::uint64_t>& into, double value) {
  if (!into) into = whole(value);
}

bool is_row(Quantity quantity) { return quantity >= Quantity::kTagBytes && quantity <= Quantity::kProcessPool; }

// Of the row's values.
std::size_t part_of(const MetricMeaning& meaning, Pool pool) {
  switch (meaning.quantity) {
    case Quantity::kTagOutstanding:
    case Quantity::kSlabObjects: return 1;
    case Quantity::kTagAllocations:
    case Quantity::kSlabObjectBytes: return 2;
    case Quantity::kTagFrees:
    case Quantity::kSlabObjectsPerSlab: return 3;
    case Quantity::kSlabPagesPerSlab: return 4;
    case Quantity::kProcessPool: return pool == Pool::kNonpaged ? 2 : 1;
    default: return 0;
  }
}

}  // namespace

std::string_view host_label(const Labels& labels) {
  for (const std::string_view name : kHostLabels)
    if (const std::string_view value = label_of(labels, name); !value.empty()) return value;
  return {};
}

std::string SeriesStore::begin(const Labels& labels) {
  current_ = SIZE_MAX;
  const std::string_view name = label_of(labels, "__name__");
  if (name.empty()) return "a series without a metric's name, as functions leave it; ask for the metric itself";
  const MetricMeaning* const meaning = find_meaning(name);
  if (meaning == nullptr) return "metric " + in_quotes(name) + " says nothing about kernel memory";
  std::string key(name);
  Target target;
  for (const auto& [label, value] : labels) {
    if (label != "__name__") key.append(1, '\0').append(label).append(1, '\0').append(value);
    if (label == "__name__" || label == "job" || label == kHostLabels[0] || meaning->is_own_label(label)) continue;
    if (is_among_labels(kReplicaLabels, label)) {
      target.replica = base::label_text(value);
      continue;
    }
    if (target.node.empty() && is_among_labels(kNodeLabels, label)) target.node = base::label_text(value);
    target.others.append(target.others.empty() ? "" : ",").append(label).append("=\"").append(value).append("\"");
  }
  if (const auto known = by_labels_.find(key); known != by_labels_.end()) {
    current_ = known->second;
    return {};
  }
  if (series_.size() >= kMaxSeries) return "too many series; more than " + std::to_string(kMaxSeries);
  Series series;
  series.meaning = meaning;
  series.pool = meaning->pool;
  if (!meaning->pool_label.empty()) {
    const auto pool = pool_of(label_of(labels, meaning->pool_label));
    if (!pool) return "pool " + in_quotes(label_of(labels, meaning->pool_label)) + " is not known";
    series.pool = *pool;
  }
  if (!meaning->subject_label.empty()) {
    const std::string_view subject = label_of(labels, meaning->subject_label);
    if (subject.empty()) return "label " + std::string(meaning->subject_label) + " is missing";
    series.subject = base::label_text(subject.substr(0, kLongestSubject));
    if (meaning->quantity == Quantity::kHandles || meaning->quantity == Quantity::kProcessPool) {
      const std::string_view pid = label_of(labels, meaning->pid_label);
      const auto parsed = std::from_chars(pid.data(), pid.data() + pid.size(), series.pid);
      if (pid.empty() || parsed.ec != std::errc{}) {
        series.pid = made_up_pid(series.subject);
        any_made_up_pid_ = true;
      }
    } else if (meaning->subject_label == "slab") {
      series.pool = slab_pool(series.subject);
    }
  }
  target.instance = base::label_text(label_of(labels, kHostLabels[0]));
  if (target.instance.empty()) target.instance = base::label_text(host_label(labels));
  target.others = base::label_text(target.others);
  target.job = base::label_text(label_of(labels, "job"));
  const auto [found, is_new] =
      by_target_.try_emplace({target.instance, target.others, target.job, target.replica}, targets_.size());
  if (is_new) targets_.push_back(std::move(target));
  series.target = found->second;
  current_ = series_.size();
  series_.push_back(std::move(series));
  by_labels_.emplace(std::move(key), current_);
  return {};
}

namespace {

bool is_of_cache(Quantity quantity) { return quantity >= Quantity::kSlabActive && quantity <= Quantity::kSlabPagesPerSlab; }

}  // namespace

std::string SeriesStore::caches_lack() const {
  bool any = false, objects = false, sizes = false;
  for (const Series& series : series_) {
    any |= is_of_cache(series.meaning->quantity);
    objects |= series.meaning->quantity == Quantity::kSlabObjects;
    sizes |= series.meaning->quantity == Quantity::kSlabObjectBytes;
  }
  if (!any || (objects && sizes)) return {};
  return std::string("slab caches without node_slabinfo_") + (objects ? "object_size_bytes" : "objects") +
         ", so their sizes are not known; ask for all of {__name__=~\"node_slabinfo_.*\"}";
}

bool SeriesStore::are_all_caches() const {
  return std::all_of(series_.begin(), series_.end(),
                     [](const Series& series) { return is_of_cache(series.meaning->quantity); });
}

void SeriesStore::add(UnixMillis time, double value) {
  if (current_ == SIZE_MAX || std::isnan(value)) return;
  if (value < 0 || std::isinf(value) || time < 0) {
    ++no_amounts_;
    ++series_[current_].lost;
    // There was one: what it tells of is not gone.
    Series& of = series_[current_];
    if (time < 0 || width_ms_ > 0 || points_ >= max_points_ || !is_row(of.meaning->quantity)) return;
    of.points.push_back({time, std::numeric_limits<double>::quiet_NaN()});
    ++points_;
    return;
  }
  ++points_seen_;
  Series& series = series_[current_];
  if (width_ms_ > 0) {
    time -= time % width_ms_;
    if (!series.points.empty() && series.points.back().time == time) {
      double& last = series.points.back().value;
      last = series.meaning->highest ? std::max(last, value) : std::min(last, value);
      return;
    }
  }
  if (points_ >= max_points_) {
    thin();
    if (points_ >= max_points_) {
      ++left_out_;
      ++series.lost;
      return;
    }
  }
  series.points.push_back({time, value});
  ++points_;
}

void SeriesStore::lose() {
  if (current_ != SIZE_MAX) ++series_[current_].lost;
}

std::vector<std::pair<RowSubject, std::uint64_t>> SeriesStore::lost() const {
  std::vector<std::pair<RowSubject, std::uint64_t>> found;
  for (const Host& host : hosts_)
    for (const std::size_t index : host.series) {
      const Series& series = series_[index];
      if (series.lost == 0) continue;
      const Quantity quantity = series.meaning->quantity;
      RowSubject of{host.name, {}, std::string(series.meaning->name), RowSubject::Kind::kValue};
      if (quantity == Quantity::kHandles || quantity == Quantity::kProcessPool) {
        const std::string pid = series.pid < kMadeUpPids ? " (" + std::to_string(series.pid) + ")" : std::string();
        of = {host.name, {}, series.subject + pid, RowSubject::Kind::kProcess};
      } else if (is_row(quantity) || quantity <= Quantity::kPoolLimit) {
        of = {host.name, series.pool, series.subject};
      }
      found.emplace_back(std::move(of), series.lost);
    }
  return found;
}

void SeriesStore::thin() {
  // Half is the least that is worth the work.
  for (const std::int64_t minutes : kWidthsMinutes) {
    if (points_ <= max_points_ / 2) return;
    if (minutes * 60'000 <= width_ms_) continue;
    width_ms_ = minutes * 60'000;
    points_ = 0;
    for (Series& series : series_) {
      collapse(series);
      points_ += series.points.size();
    }
  }
}

void SeriesStore::collapse(Series& series) const {
  std::size_t kept = 0;
  for (Point point : series.points) {
    if (std::isnan(point.value)) continue;
    point.time -= point.time % width_ms_;
    if (kept > 0 && series.points[kept - 1].time == point.time) {
      double& last = series.points[kept - 1].value;
      last = series.meaning->highest ? std::max(last, point.value) : std::min(last, point.value);
    } else {
      series.points[kept++] = point;
    }
  }
  series.points.resize(kept);
  series.points.shrink_to_fit();
}

void SeriesStore::finish() {
  by_labels_.clear();
  for (Series& series : series_) {
    const auto earlier = [](const Point& a, const Point& b) { return a.time < b.time; };
    if (!std::is_sorted(series.points.begin(), series.points.end(), earlier))
      std::stable_sort(series.points.begin(), series.points.end(), earlier);
    find_doubled(series);
  }
  merge_replicas();
  name_by_nodes();
  make_hosts();
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    set_rows(hosts_[i]);
    schedule(hosts_[i]);
    if (hosts_[i].next_time != INT64_MAX) heap_.emplace_back(hosts_[i].next_time, i);
  }
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
}

void SeriesStore::find_doubled(const Series& series) {
  std::size_t first = 0;  // of its time
  for (std::size_t i = 1; i < series.points.size(); ++i) {
    const Point &used = series.points[first], &other = series.points[i];
    if (other.time != used.time) {
      first = i;
      continue;
    }
    contradict(series, used, other);
  }
}

void SeriesStore::contradict(const Series& series, const Point& used, const Point& other) {
  if (std::isnan(used.value) || std::isnan(other.value) || used.value == other.value || doubled_.samples++ > 0) return;
  doubled_.series = std::string(series.meaning->name) + (series.subject.empty() ? "" : " " + in_quotes(series.subject));
  doubled_.time = used.time;
  doubled_.used = used.value;
  doubled_.other = other.value;
}

// kApart: one goes on where the other ends, but for some samples, as when a job or a metric gets another name.
SeriesStore::Twins SeriesStore::compare(const Series& used, const Series& other) {
  constexpr std::size_t kShare = 10;  // of the shorter one's samples
  const auto within = [](const Series& one, const Series& whole) {
    if (whole.points.empty()) return std::size_t{0};
    return static_cast<std::size_t>(std::count_if(one.points.begin(), one.points.end(), [&](const Point& point) {
      return point.time >= whole.points.front().time && point.time <= whole.points.back().time;
    }));
  };
  const std::size_t shared = std::max(within(used, other), within(other, used));
  const bool is_apart = shared * kShare < std::min(used.points.size(), other.points.size()) || shared == 0;
  std::size_t equal = 0, differing = 0;
  for (std::size_t i = 0, k = 0; i < used.points.size() && k < other.points.size();) {
    const Point &a = used.points[i], &b = other.points[k];
    if (a.time == b.time && !std::isnan(a.value) && !std::isnan(b.value)) ++(a.value == b.value ? equal : differing);
    // Of two jobs they are told apart.
    const bool are_one_host = is_apart || targets_[used.target].job == targets_[other.target].job;
    if (a.time == b.time && are_one_host) contradict(used, a, b);
    i += a.time <= b.time ? 1 : 0;
    k += b.time <= a.time ? 1 : 0;
  }
  if (is_apart) return Twins::kApart;
  return equal > 0 && differing == 0 ? Twins::kSame : Twins::kDiffer;
}

// Another label that changes with time, as a pod's name does: never two of them at once, but for some samples.
bool SeriesStore::follow_one_another(const std::vector<std::size_t>& targets) const {
  struct Span {
    base::UnixMillis first = INT64_MAX, last = INT64_MIN;
  };
  std::map<std::string, Span> by_others;
  const std::set<std::size_t> wanted(targets.begin(), targets.end());
  for (const Series& series : series_) {
    if (!wanted.contains(series.target) || series.points.empty()) continue;
    const Target& target = targets_[series.target];
    Span& span = by_others[target.instance + '\n' + target.others];
    span.first = std::min(span.first, series.points.front().time);
    span.last = std::max(span.last, series.points.back().time);
  }
  std::vector<Span> spans;
  spans.reserve(by_others.size());
  for (const auto& [others, span] : by_others) spans.push_back(span);
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.first < b.first; });
  constexpr std::int64_t kPart = 10;  // of the shorter one
  for (std::size_t i = 1; i < spans.size(); ++i) {
    const std::int64_t shared = spans[i - 1].last - spans[i].first;
    if (shared >= 0 && shared * kPart >= std::min(spans[i - 1].last - spans[i - 1].first, spans[i].last - spans[i].first))
      return false;
    if (spans[i].last < spans[i - 1].last) return false;
  }
  return true;
}

// Two of Prometheus scrape one target seconds apart: what the second has beside the first is left out. Those that differ in
// what they say are none of one host's, whatever the label means there.
void SeriesStore::merge_replicas() {
  constexpr std::int64_t kNearMillis = 60'000;
  constexpr double kAlike = 0.1;
  using Of = std::tuple<std::string_view, std::string_view, std::string_view, Quantity, Pool, std::string_view, std::uint64_t>;
  std::map<Of, std::vector<std::size_t>> same;
  std::map<std::pair<std::size_t, std::size_t>, std::pair<std::size_t, std::size_t>> alike;  // of two targets, of all
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const Target& of = targets_[series_[i].target];
    if (of.replica.empty()) continue;
    same[{of.instance, of.others, of.job, series_[i].meaning->quantity, series_[i].pool, series_[i].subject, series_[i].pid}]
        .push_back(i);
  }
  const auto nearest = [](const std::vector<Point>& points, UnixMillis time) -> const Point* {
    auto found =
        std::lower_bound(points.begin(), points.end(), time, [](const Point& a, UnixMillis at) { return a.time < at; });
    if (found == points.end() || (found != points.begin() && time - std::prev(found)->time < found->time - time))
      found = found == points.begin() ? found : std::prev(found);
    return found != points.end() && std::abs(found->time - time) <= kNearMillis ? &*found : nullptr;
  };
  for (const auto& [of, all] : same)
    for (std::size_t k = 1; k < all.size(); ++k) {
      const Series &first = series_[all[0]], &other = series_[all[k]];
      if (first.target == other.target) continue;
      auto& [near, alike_ones] = alike[{first.target, other.target}];
      for (const Point& point : other.points)
        if (const Point* const used = nearest(first.points, point.time)) {
          ++near;
          alike_ones += std::abs(used->value - point.value) <= kAlike * std::max(used->value, point.value) ? 1 : 0;
        }
    }
  std::set<std::size_t> differing;  // targets
  for (const auto& [both, seen] : alike)
    if (seen.second * 10 < seen.first * 9) differing.insert({both.first, both.second});
  for (std::size_t i = 0; i < targets_.size(); ++i)
    if (differing.contains(i))
      targets_[i].others += (targets_[i].others.empty() ? "replica=\"" : ",replica=\"") + targets_[i].replica + "\"";
  for (const auto& [of, all] : same)
    for (std::size_t k = 1; k < all.size(); ++k) {
      Series &first = series_[all[0]], &other = series_[all[k]];
      if (first.target == other.target || differing.contains(first.target) || differing.contains(other.target)) continue;
      std::vector<Point> more;
      for (const Point& point : other.points)
        if (nearest(first.points, point.time) == nullptr) more.push_back(point);
      points_ -= other.points.size() - more.size();
      const auto middle = static_cast<std::ptrdiff_t>(first.points.size());
      first.points.insert(first.points.end(), more.begin(), more.end());
      std::inplace_merge(first.points.begin(), first.points.begin() + middle, first.points.end(),
                         [](const Point& a, const Point& b) { return a.time < b.time; });
      first.lost += std::exchange(other.lost, 0);
      other.points.clear();
    }
}

// A pod's address is another one each time it starts; one behind another on a node they are one host.
void SeriesStore::name_by_nodes() {
  std::map<std::string, std::vector<std::size_t>> by_node;
  std::set<std::string> others;  // nodes with a target that is named otherwise
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].node.empty()) continue;
    by_node[targets_[i].node].push_back(i);
    if (!is_address_with_port(targets_[i].instance)) others.insert(targets_[i].node);
  }
  for (const auto& each : by_node) {
    const std::string& node = each.first;
    const std::vector<std::size_t>& targets = each.second;
    const auto is_first = [&](std::size_t one) { return targets_[one].instance == targets_[targets[0]].instance; };
    if (others.contains(node) || std::all_of(targets.begin(), targets.end(), is_first)) continue;
    if (!follow_one_another(targets)) continue;
    for (const std::size_t target : targets) targets_[target].instance = node;
  }
}

// The targets of one instance are one host unless they say the same of it twice. Those of two jobs are one host
// unless they differ in what they say.
void SeriesStore::make_hosts() {
  std::vector<bool> is_split(targets_.size(), false);
  std::map<std::string_view, std::vector<std::size_t>> by_instance;
  for (std::size_t i = 0; i < targets_.size(); ++i) by_instance[targets_[i].instance].push_back(i);
  using Subject = std::tuple<std::string_view, Quantity, Pool, std::string_view, std::uint64_t>;
  std::map<Subject, const Series*> owner;
  std::set<std::string_view> twice, of_two_targets, of_two_jobs;
  for (const Series& series : series_) {
    const Target& target = targets_[series.target];
    const auto [known, is_new] =
        owner.try_emplace({target.instance, series.meaning->quantity, series.pool, series.subject, series.pid}, &series);
    if (is_new) continue;
    const Target& first = targets_[known->second->target];
    if (first.others != target.others) {
      of_two_targets.insert(target.instance);
      continue;
    }
    const Twins twins = compare(*known->second, series);
    if (twins == Twins::kDiffer && first.job != target.job) of_two_jobs.insert(target.instance);
    else if (twins != Twins::kApart) twice.insert(target.instance);
  }
  for (const std::string_view instance : twice)
    if (!of_two_jobs.contains(instance)) doubted_.emplace_back(instance);
  for (const std::string_view instance : of_two_jobs) of_several_jobs_.emplace_back(instance);
  if (is_part_) of_two_jobs.clear();
  for (const std::string_view instance : of_two_targets)
    if (!follow_one_another(by_instance[instance]))
      for (const std::size_t target : by_instance[instance]) is_split[target] = true;

  std::map<std::string, std::size_t> by_name;
  std::vector<std::size_t> host_of(targets_.size());
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    std::string name = targets_[i].instance;
    const std::string job = of_two_jobs.contains(targets_[i].instance) ? "job=\"" + targets_[i].job + "\"" : std::string();
    const std::string others = is_split[i] ? targets_[i].others : std::string();
    if (is_split[i] || !job.empty()) name += "{" + job + (job.empty() || others.empty() ? "" : ",") + others + "}";
    const auto [known, is_new] = by_name.try_emplace(name, hosts_.size());
    if (is_new) hosts_.emplace_back().name = name;
    host_of[i] = known->second;
  }
  for (std::size_t i = 0; i < series_.size(); ++i) hosts_[host_of[series_[i].target]].series.push_back(i);
  for (Host& host : hosts_)
    std::stable_sort(host.series.begin(), host.series.end(),
                     [&](std::size_t a, std::size_t b) { return series_[a].meaning < series_[b].meaning; });
}

void SeriesStore::set_rows(Host& host) {
  std::map<std::tuple<Row::Kind, Pool, std::string_view, std::uint64_t>, std::size_t> rows;
  for (const std::size_t index : host.series) {
    Series& series = series_[index];
    if (!is_row(series.meaning->quantity)) continue;
    const bool is_process = series.meaning->quantity >= Quantity::kHandles;
    const bool is_cache = !is_process && series.meaning->quantity >= Quantity::kSlabActive;
    const auto kind = is_process ? Row::Kind::kProcess : is_cache ? Row::Kind::kCache : Row::Kind::kTag;
    const Pool pool = is_process ? Pool::kPaged : series.pool;
    const auto [known, is_new] = rows.try_emplace({kind, pool, series.subject, series.pid}, host.rows.size());
    if (is_new) host.rows.push_back({kind, pool, series.subject, series.pid, {}});
    series.row = known->second;
  }
}

void SeriesStore::schedule(Host& host) {
  host.next_time = INT64_MAX;
  for (const std::size_t index : host.series) {
    const Series& series = series_[index];
    if (series.cursor < series.points.size()) host.next_time = std::min(host.next_time, series.points[series.cursor].time);
  }
}

bool SeriesStore::next(Snapshot& out) {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
  const auto [time, index] = heap_.back();
  heap_.pop_back();
  Host& host = hosts_[index];
  SnapshotBuilder builder;
  builder.snapshot().time = time;
  for (const std::size_t at : host.series) {
    Series& series = series_[at];
    bool taken = false;
    for (; series.cursor < series.points.size() && series.points[series.cursor].time == time; ++series.cursor)
      if (!std::exchange(taken, true)) take_value(host, series, series.points[series.cursor].value, builder);
  }
  add_rows(host, builder);
  out = builder.take();
  host_ = host.name;
  schedule(host);
  if (host.next_time != INT64_MAX) {
    heap_.emplace_back(host.next_time, index);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }
  return true;
}

void SeriesStore::take_value(Host& host, Series& series, double value, SnapshotBuilder& out) {
  const MetricMeaning& meaning = *series.meaning;
  Snapshot& snapshot = out.snapshot();
  const bool of_windows = meaning.system == System::kWindows || (!meaning.pool_label.empty() && series.pool <= Pool::kNonpaged);
  if (of_windows) snapshot.system = System::kWindows;
  const auto raw = [&](std::optional<std::uint32_t>& into) {
    // The kernel's counter has 32 bits; exporters may have widened it.
    if (const auto count = whole(value); count && !into) into = static_cast<std::uint32_t>(*count);
  };
  if (is_row(meaning.quantity)) {
    if (meaning.quantity >= Quantity::kHandles) snapshot.gaps.processes |= std::isnan(value);
    else if (std::isnan(value) || meaning.quantity == Quantity::kTagBytes)
      snapshot.gaps.add(series.pool);  // some tags are exported
    if (std::isnan(value)) return;
    auto& part = host.rows[series.row].parts[part_of(meaning, series.pool)];
    if (!part) part = value;
    return;
  }
  switch (meaning.quantity) {
    case Quantity::kPoolBytes: set_once(out.totals(series.pool).bytes, value); break;
    case Quantity::kPoolResident: set_once(out.totals(series.pool).resident_bytes, value); break;
    case Quantity::kPoolAllocations: raw(out.totals(series.pool).allocations); break;
    case Quantity::kPoolFrees: raw(out.totals(series.pool).frees); break;
    case Quantity::kPoolLimit:
      if (auto& limit = out.totals(series.pool).limit; !limit)
        limit = PoolLimit{whole(value).value_or(0), "estimate", "recorded"};
      break;
    case Quantity::kFreePtes: set_once(snapshot.system_ptes_free, value); break;
    case Quantity::kCommit: set_once(snapshot.commit_bytes, value); break;
    case Quantity::kCommitLimit: set_once(snapshot.commit_limit_bytes, value); break;
    case Quantity::kCommitPeak: set_once(snapshot.commit_peak_bytes, value); break;
    case Quantity::kPhysical: set_once(snapshot.physical_memory_bytes, value); break;
    case Quantity::kAvailable: set_once(snapshot.available_bytes, value); break;
    case Quantity::kFileCache: set_once(snapshot.file_cache_bytes, value); break;
    case Quantity::kFileCachePeak: set_once(snapshot.file_cache_peak_bytes, value); break;
    case Quantity::kKernelStack: set_once(snapshot.kernel_stack_bytes, value); break;
    case Quantity::kPageTables: set_once(snapshot.page_table_bytes, value); break;
    case Quantity::kBootSeconds:
      if (!snapshot.boot_time && value < 2.5e11) snapshot.boot_time = std::llround(value * 1000);
      break;
    default: break;
  }
}

void SeriesStore::add_rows(Host& host, SnapshotBuilder& out) {
  for (Row& row : host.rows) {
    const auto part = [&](std::size_t i) { return row.parts[i] ? whole(*row.parts[i]) : std::nullopt; };
    if (row.kind == Row::Kind::kProcess && (row.parts[0] || row.parts[1] || row.parts[2])) {
      ProcessUsage process;
      process.pid = row.pid;
      process.name = row.subject;
      process.handles = part(0);
      process.paged_pool_bytes = part(1);
      process.nonpaged_pool_bytes = part(2);
      (void)out.add(std::move(process));
    }
    TagUsage tag;
    tag.pool = row.pool;
    tag.tag = row.subject;
    bool is_whole = false;
    if (row.kind == Row::Kind::kTag && row.parts[0]) {
      tag.bytes = *part(0);
      tag.has_outstanding = row.parts[1].has_value();
      if (row.parts[2] && row.parts[3]) {
        tag.counter_bits = 64;
        set_counters(tag, *part(2), *part(3));
      }
      if (row.parts[1]) tag.outstanding = *part(1);
      is_whole = true;
    } else if (row.kind == Row::Kind::kCache && row.parts[1] && row.parts[2]) {
      const auto bytes = slab_bytes({*part(1), *part(2), part(3).value_or(0), part(4).value_or(0)});
      tag.bytes = bytes.value_or(0);
      tag.has_outstanding = row.parts[0].has_value();
      tag.outstanding = part(0).value_or(0);
      is_whole = bytes.has_value();
    }
    // Those that are gone, a server tells for long.
    const bool is_alive = tag.bytes != 0 || (tag.has_outstanding && tag.outstanding != 0);
    if (is_whole && is_alive) (void)out.add(std::move(tag));
    std::fill(std::begin(row.parts), std::end(row.parts), std::nullopt);
  }
}

}  // namespace kmem::history
