#include "exporter/trend/engine.h"

#include <algorithm>
#include <cmath>

namespace kmem::trend {
namespace {

constexpr std::int64_t kJudgedWithinMs = 2 * kHourMs;
constexpr std::int64_t kLongestIntervalMs = 7 * kHourMs;  // between two looks; nobody watched in what is longer

std::int64_t bucket_of(std::int64_t at_ms, std::int64_t width_ms) { return at_ms / width_ms - (at_ms % width_ms < 0); }

/// Use that grows is positive: free entries count downwards.
float value_of(const Sample& sample) {
  const auto amount = static_cast<float>(sample.amount);
  return counts_down(sample.kind) ? -amount : amount;
}

constexpr std::int64_t kHoursPerDay = 24;

/// Of each day the highest floor of a half hour; days without any have none.
void keep_high(History& history, float floor, std::int64_t hour, std::int64_t hour_now) {
  const std::int64_t day = bucket_of(hour, kHoursPerDay), today = bucket_of(hour_now, kHoursPerDay);
  std::uint16_t& high = history.highs[ring_slot(day, kHighDays)];
  if (!std::isnan(floor) && !(ShortFloat::unpack(high) >= floor)) high = ShortFloat::pack(floor);
  for (std::int64_t gap = std::max(day + 1, today - static_cast<std::int64_t>(kHighDays) + 1); gap <= today; ++gap)
    history.highs[ring_slot(gap, kHighDays)] = ShortFloat::kMissing;
}

/// A count near the end of 64 bits is more than that as a float.
std::uint16_t packed(float count) {
  if (std::isnan(count)) return ShortCount::kMissing;
  return ShortCount::pack(count < 0x1p63F ? static_cast<std::uint64_t>(count) : UINT64_MAX);
}

void keep_lowest(float& low, float value) {
  if (!(low <= value)) low = value;  // also when low is NaN
}

}  // namespace

TrendEngine::TrendEngine(EngineOptions options) : options_(std::move(options)) {
  options_.max_subjects = std::clamp<std::size_t>(options_.max_subjects, 1, 4096);
}

std::uint32_t TrendEngine::key_of(Kind kind, Pool pool, std::string_view text) {
  const std::uint64_t key = tag_key(pool, text) * 8 + static_cast<std::uint64_t>(kind);
  return static_cast<std::uint32_t>(key ^ key >> 32);
}

double TrendEngine::min_per_day(Kind kind) const {
  if (kind == Kind::kSystemPtes) return options_.min_ptes_per_day;
  if (kind == Kind::kHandles) return options_.min_handles_per_day;
  return options_.min_bytes_per_day;
}

std::uint32_t TrendEngine::find_slot(Kind kind, Pool pool, std::string_view text, std::uint32_t key) const {
  return index_.find(key, [&](std::uint32_t slot) { return state_.subjects[slot]->is(kind, pool, text); });
}

std::uint32_t TrendEngine::slot_of(const Sample& sample, std::size_t position) {
  if (position < order_.size() && order_[position] < state_.subjects.size()) {
    // Most observations list the same subjects in the same order.
    if (state_.subjects[order_[position]]->is(sample.kind, sample.pool, sample.text)) return order_[position];
  }
  const std::uint32_t key = key_of(sample.kind, sample.pool, sample.text);
  const std::uint32_t slot = find_slot(sample.kind, sample.pool, sample.text, key);
  return slot != base::FlatIndex::kNone ? slot : admit(sample, key);
}

std::uint32_t TrendEngine::victim_for(double amount) const {
  std::uint32_t victim = base::FlatIndex::kNone, longest = 0;
  double smallest = amount / 2;
  for (std::uint32_t slot = 0; slot < state_.open.size(); ++slot) {
    const Open& open = state_.open[slot];
    const Kind kind = state_.subjects[slot]->kind;
    if (state_.subjects[slot]->verdict == Verdict::kLeak || (kind != Kind::kTag && kind != Kind::kHandles)) continue;
    const bool absent = open.absent_hours > 0 && open.seen_tick != tick_;
    if (absent && open.absent_hours > longest) victim = slot, longest = open.absent_hours;
    if (longest > 0 || state_.subjects[slot]->verdict != Verdict::kOk || open.seen_tick == 0) continue;
    if (static_cast<double>(open.last) < smallest) victim = slot, smallest = static_cast<double>(open.last);
  }
  return victim;
}

std::uint32_t TrendEngine::admit(const Sample& sample, std::uint32_t key) {
  std::uint32_t slot = static_cast<std::uint32_t>(state_.subjects.size());
  if (sample.text.size() > kMaxTextBytes) {
    ++state_.refused_total;
    return base::FlatIndex::kNone;
  }
  const bool full = slot == options_.max_subjects;
  if (full) {
    const bool tried = last_admission_hour_ == state_.fine_bucket;
    slot = tried ? base::FlatIndex::kNone : victim_for(static_cast<double>(sample.amount));
    if (slot == base::FlatIndex::kNone) {
      last_admission_hour_ = state_.fine_bucket;
      ++state_.refused_total;
      return slot;
    }
    ++state_.forgotten_total;
    *state_.subjects[slot] = {};
    state_.open[slot] = {};
    state_.recent.clear_subject(slot);
    falls_.erase(slot), ended_surges_.erase(slot);
  } else {
    state_.subjects.push_back(std::make_unique<Subject>());
    state_.open.emplace_back();
    state_.recent.add_subject();
  }
  Subject& subject = *state_.subjects[slot];
  subject.kind = sample.kind;
  subject.pool = sample.pool;
  subject.text = sample.text;
  subject.first_seen_ms = state_.timeline.now_ms();
  state_.open[slot].key = key;
  if (full) {  // the predecessor is in it
    index_all();
  } else {
    index_.insert(key, slot);
  }
  return slot;
}

void TrendEngine::index_all() {
  index_.clear();
  for (std::uint32_t slot = 0; slot < state_.open.size(); ++slot) index_.insert(state_.open[slot].key, slot);
}

void TrendEngine::close_buckets(std::int64_t coarse, std::int64_t fine, bool new_boot) {
  const std::int64_t fine_steps = std::min<std::int64_t>(fine - state_.fine_bucket, kFineBuckets);
  const std::int64_t coarse_steps = std::min<std::int64_t>(coarse - state_.coarse_bucket, kCoarseBuckets);
  if (coarse_steps > 0) judge(state_.subjects.size());  // what is still due of the bucket before
  for (std::size_t slot = 0; slot < state_.open.size(); ++slot) {
    Open& open = state_.open[slot];
    History& history = state_.subjects[slot]->history;
    if (fine_steps > 0) {
      const float half = state_.recent.take_high(slot);
      keep_high(history, std::isnan(half) ? open.fine : half, state_.fine_bucket, fine);
      history.fine[ring_slot(state_.fine_bucket, kFineBuckets)] = open.fine;
      for (std::int64_t i = 1; i < fine_steps; ++i) history.fine[ring_slot(fine - i, kFineBuckets)] = kNothing;
      open.fine = kNothing;
      if (open.seen_tick != tick_ && open.absent_hours < kMostAbsentHours) ++open.absent_hours;
    }
    if (coarse_steps > 0) {
      const std::size_t at = ring_slot(state_.coarse_bucket, kCoarseBuckets);
      history.coarse.set(at, open.coarse, packed(open.outstanding));
      for (std::int64_t i = coarse_steps - 1; i > 0; --i)
        history.coarse.set(ring_slot(coarse - i, kCoarseBuckets), kNothing, ShortCount::kMissing);
    }
    // Before the boot is not after it: a bucket that holds both counts from the boot on.
    if (coarse_steps > 0 || new_boot) open.coarse = open.outstanding = kNothing;
    if (new_boot) open.fine = kNothing;
  }
  if (coarse_steps > 0) {
    judged_steps_ = coarse_steps;
    state_.judged_bucket = coarse - 1;
    state_.due = 0;
  }
  state_.coarse_bucket = coarse;
  state_.fine_bucket = fine;
  if (coarse_steps > 0) seen_ms_ = std::min(seen_ms_, seen_in_rings_ms());
}

/// Whole buckets: those of the rings in which anything was seen, and the open one.
std::int64_t TrendEngine::seen_in_rings_ms() const {
  const auto seen = [this](auto ring, std::int64_t bucket) {
    return std::any_of(state_.subjects.begin(), state_.subjects.end(), [&](const auto& subject) {
      const auto& floors = subject->history.*ring;
      return !std::isnan(floors[ring_slot(bucket, floors.size())]);
    });
  };
  constexpr std::int64_t kFineAsCoarse = kFineBuckets / 4;
  std::int64_t total_ms = kCoarseMs;
  for (std::int64_t bucket = state_.coarse_bucket - kCoarseBuckets; bucket < state_.coarse_bucket; ++bucket) {
    if (bucket <= state_.coarse_bucket - kFineAsCoarse) {
      if (seen(&History::coarse, bucket)) total_ms += kCoarseMs;
      continue;
    }
    for (std::int64_t hour = bucket * 4; hour < bucket * 4 + 4; ++hour)
      if (seen(&History::fine, hour)) total_ms += kHourMs;
  }
  return total_ms;
}

void TrendEngine::note_absent(const Gaps& gaps) {
  std::array<bool, kPoolCount> listed{};
  bool processes = false;
  for (std::size_t slot = 0; slot < state_.open.size(); ++slot) {
    if (state_.open[slot].seen_tick != tick_) continue;
    const Subject& subject = *state_.subjects[slot];
    if (subject.kind == Kind::kTag) listed[static_cast<std::size_t>(subject.pool)] = true;
    if (subject.kind == Kind::kHandles) processes = true;
  }
  for (std::size_t slot = 0; slot < state_.open.size(); ++slot) {
    Open& open = state_.open[slot];
    if (open.seen_tick == tick_) continue;
    const Subject& subject = *state_.subjects[slot];
    const bool gone =
        (subject.kind == Kind::kTag && listed[static_cast<std::size_t>(subject.pool)] && !gaps.has(subject.pool)) ||
        (subject.kind == Kind::kHandles && processes && !gaps.processes);
    if (!gone) continue;
    open.coarse = open.fine = open.outstanding = open.last = 0;
    state_.recent.note(slot, 0);
  }
}

void TrendEngine::observe(const Observation& observation) {
  const bool first = !state_.timeline.started();
  const std::int64_t before_ms = state_.timeline.now_ms();
  const Timeline::Moment moment =
      state_.timeline.advance({observation.time, observation.boot_time, observation.boot_number}, observation.boot_start);
  const std::int64_t coarse = bucket_of(moment.at_ms, kCoarseMs), fine = bucket_of(moment.at_ms, kHourMs);
  const std::int64_t fine_before = state_.fine_bucket;
  state_.recent.advance(moment.at_ms);
  if (moment.new_boot) state_.recent.clear();
  if (first) {
    state_.coarse_bucket = coarse;
    state_.fine_bucket = fine;
    state_.judged_bucket = coarse - 1;
  } else if (coarse != state_.coarse_bucket || fine != state_.fine_bucket || moment.new_boot) {
    close_buckets(coarse, fine, moment.new_boot);
  }
  if (moment.new_boot) state_.rooms.fill({}), falls_.clear(), ended_surges_.clear();
  gap_ms_ = moment.at_ms - before_ms;
  if (first || (gap_ms_ <= kLongestIntervalMs && !moment.new_boot)) {
    seen_ms_ += first ? 0 : gap_ms_;
    gap_ms_ = 0;
  }
  ++tick_;
  order_.resize(observation.subjects.size(), base::FlatIndex::kNone);
  for (std::size_t i = 0; i < observation.subjects.size(); ++i) {
    const Sample& sample = observation.subjects[i];
    const std::uint32_t slot = slot_of(sample, i);
    order_[i] = slot;
    if (slot == base::FlatIndex::kNone) continue;
    Open& open = state_.open[slot];
    const float value = value_of(sample);
    keep_lowest(open.coarse, value);
    keep_lowest(open.fine, value);
    state_.recent.note(slot, value);
    if (sample.outstanding) keep_lowest(open.outstanding, static_cast<float>(*sample.outstanding));
    open.last = value;
    open.seen_tick = tick_;
    open.absent_hours = 0;
    state_.subjects[slot]->limit = sample.limit.value_or(std::numeric_limits<double>::quiet_NaN());
    const std::size_t total = total_of(sample.kind, sample.pool);
    if (total == kTotals || !sample.limit) continue;
    const double left = *sample.limit - static_cast<double>(sample.amount);
    state_.rooms[total].note(fine, {sample.kind == Kind::kSystemPtes ? -left : left, sample.bound});
  }
  note_absent(observation.gaps);
  look_for_surges(fine_before);
  if (falls_unlooked_ && tick_ > 1) look_for_falls();  // not before the first page
  // As large a share of the table as of the two hours has gone by.
  const double share = static_cast<double>(moment.at_ms - before_ms) / static_cast<double>(kJudgedWithinMs);
  const double many = std::ceil(share * static_cast<double>(state_.subjects.size()));
  const auto quota = static_cast<std::size_t>(std::clamp(many, 1.0, static_cast<double>(options_.max_subjects)));
  judge(state_.due + quota);
}

void TrendEngine::settle() { judge(state_.subjects.size()); }

void TrendEngine::judge(std::size_t until) {
  until = std::min(until, state_.subjects.size());
  for (; state_.due < until; ++state_.due) judge(*state_.subjects[state_.due], state_.due);
}

Summary TrendEngine::summary() const {
  Summary summary;
  if (!state_.timeline.started()) return summary;
  const std::int64_t now_ms = state_.timeline.now_ms();
  summary.time = state_.timeline.to_wall(now_ms);
  summary.history_seconds = static_cast<double>(std::min<std::int64_t>(seen_ms_, kHistoryDays * kDayMs)) / 1e3;
  summary.gap_seconds = static_cast<double>(gap_ms_) / 1e3;
  summary.subjects = state_.subjects.size();
  for (const Kind room : {Kind::kAvailable, Kind::kCommitLimit}) summary.subjects -= find_slot(room) != base::FlatIndex::kNone;
  summary.boots = state_.timeline.boots().size();
  summary.refused_total = state_.refused_total;
  summary.forgotten_total = state_.forgotten_total;
  summary.clock_jumps_total = state_.timeline.clock_jumps_total();
  return summary;
}

}  // namespace kmem::trend
