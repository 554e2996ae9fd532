#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "collectors/base/host_key.h"
#include "collectors/base/utf8.h"
#include "collectors/base/wire.h"
#include "exporter/trend/engine.h"

namespace kmem::trend {
namespace {

constexpr std::size_t kMaxIdentityBytes = 256;
constexpr std::size_t kSubjectsAPiece = 16;
constexpr std::uint32_t kVersionWithSurges = 2;
constexpr std::uint32_t kVersionWithWatched = 3;
constexpr double kMostLimit = 0x1p66;    // what is held and the room beyond
constexpr float kMostOfSurge = 0x1p80F;  // a pace of that a minute

using Floors = std::array<float, CoarseRing::kSize>;
using Counts = std::array<std::uint16_t, CoarseRing::kSize>;
constexpr std::int64_t kNewestSlot = static_cast<std::int64_t>(CoarseRing::kSize) - 1;  // unrolls in the order of slots

template <typename T, std::size_t kSize>
void write_ring(base::WireWriter& out, const std::array<T, kSize>& ring) {
  out.string({reinterpret_cast<const char*>(ring.data()), sizeof ring});
}

template <typename T, std::size_t kSize>
void read_ring(base::WireReader& in, std::array<T, kSize>& ring) {
  const std::string_view bytes = in.string(sizeof ring);
  if (bytes.size() != sizeof ring) return in.fail();
  std::memcpy(ring.data(), bytes.data(), sizeof ring);
}

void write_float(base::WireWriter& out, float value) { out.fixed(std::bit_cast<std::uint32_t>(value)); }

float read_float(base::WireReader& in) { return std::bit_cast<float>(in.fixed<std::uint32_t>()); }

/// Names of Windows processes have letters of every script.
bool is_plain_utf8(std::string_view text) {
  return base::find_non_utf8(text) == std::string_view::npos &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

/// A floor beyond what 64 bits count would make every fit meaningless; no observation gives one.
void refuse_impossible(std::span<float> values) {
  for (float& value : values) {
    if (!(std::abs(value) <= kMostAmount)) value = kNothing;
  }
}

/// What an older program did not keep, as far as its floors of 4 hours know it.
void take_highs(History& history, const Floors& coarse, std::int64_t coarse_now) {
  for (std::int64_t bucket = coarse_now - kCoarseBuckets; bucket < coarse_now; ++bucket) {
    const float floor = coarse[ring_slot(bucket, kCoarseBuckets)];
    const std::int64_t day = bucket / kBucketsPerDay - (bucket % kBucketsPerDay < 0);
    std::uint16_t& high = history.highs[ring_slot(day, kHighDays)];
    if (!std::isnan(floor) && !(ShortFloat::unpack(high) >= floor)) high = ShortFloat::pack(floor);
  }
}

}  // namespace

std::string TrendEngine::save() const {
  std::string payload;
  payload.reserve(4096 + state_.subjects.size() *
                             (sizeof(Subject) + sizeof(Floors) + sizeof(Counts) + Recent::kSavedBytesPerSubject + 64));
  for (std::size_t number = 0; save_piece(number, payload); ++number) {}
  return payload;
}

bool TrendEngine::save_piece(std::size_t number, std::string& out) const {
  const std::size_t subjects = state_.subjects.size();
  const std::size_t subject_pieces = (subjects + kSubjectsAPiece - 1) / kSubjectsAPiece;
  base::WireWriter writer(out);
  if (number == 0) {
    save_head(writer);
    return true;
  }
  --number;
  if (number < subject_pieces) {
    const std::size_t end = std::min(subjects, (number + 1) * kSubjectsAPiece);
    for (std::size_t slot = number * kSubjectsAPiece; slot < end; ++slot) save_subject(writer, slot);
    return true;
  }
  number -= subject_pieces;
  if (number > Recent::kSavedColumns) return false;
  if (number == 0) {
    for (const DayOfRoom& room : std::span(state_.rooms).first<kKeptTotals>()) room.save(writer);
    state_.recent.save_head(writer);
  } else {
    state_.recent.save_column(writer, number - 1);
  }
  if (number == Recent::kSavedColumns) writer.fixed(seen_ms_);
  return true;
}

void TrendEngine::save_head(base::WireWriter& out) const {
  out.fixed(kStateVersion);
  out.string(std::string_view(options_.host_identity).substr(0, kMaxIdentityBytes));
  state_.timeline.save(out);
  for (const std::int64_t bucket : {state_.coarse_bucket, state_.fine_bucket, state_.judged_bucket}) out.fixed(bucket);
  out.varint(state_.due);
  out.fixed(state_.refused_total);
  out.fixed(state_.forgotten_total);
  out.varint(state_.subjects.size());
}

void TrendEngine::save_subject(base::WireWriter& out, std::size_t slot) const {
  const Subject& subject = *state_.subjects[slot];
  const Open& open = state_.open[slot];
  out.fixed(static_cast<std::uint8_t>(subject.kind));
  out.fixed(static_cast<std::uint8_t>(subject.pool));
  out.fixed(static_cast<std::uint8_t>(subject.verdict));
  out.fixed(subject.scores_used);
  out.fixed(subject.weak_judgements);
  out.fixed(subject.watch_judgements);
  out.string(subject.text);
  out.fixed(std::bit_cast<std::uint64_t>(subject.limit));
  for (const std::int64_t at : {subject.first_seen_ms, subject.first_detected_ms, subject.since_ms}) out.fixed(at);
  for (const float value : {subject.slope_per_day, subject.slope_error_per_day, subject.strength, open.coarse, open.fine,
                            open.outstanding, open.last}) {
    write_float(out, value);
  }
  out.fixed(open.absent_hours);
  write_ring(out, subject.scores);
  Floors floors;
  unroll(subject.history.coarse, kNewestSlot, floors);
  write_ring(out, floors);
  write_ring(out, subject.history.fine);
  Counts counts;
  unroll_counts(subject.history.coarse, kNewestSlot, counts);
  write_ring(out, counts);
  write_ring(out, subject.history.highs);
  const SurgeState& surge = subject.surge();
  for (const std::int64_t at : {surge.since_ms, surge.told_ms, surge.high_ms}) out.fixed(at);
  for (const float value : {surge.high, surge.growth, surge.pace_per_day, open.low}) write_float(out, value);
  out.fixed(static_cast<std::uint8_t>(surge.ends_soon));
}

base::Result<void> TrendEngine::load(std::string_view payload) {
  constexpr std::size_t kFewestSubjectBytes =
      sizeof(Floors) + sizeof(Counts) + sizeof(History::fine) + 64;  // older ones have no highs
  if (payload.size() > kMaxStateBytes) return base::Error{base::ErrorCode::kMalformed, "trend state is too large"};
  base::WireReader in(payload);
  const auto version = in.fixed<std::uint32_t>();
  if (version < kOldestStateVersion || version > kStateVersion) {
    return base::Error{base::ErrorCode::kUnsupported, "trend state of another version"};
  }
  if (!base::is_host(in.string(kMaxIdentityBytes), std::string_view(options_.host_identity).substr(0, kMaxIdentityBytes))) {
    return base::Error{base::ErrorCode::kInvalid, "trend state of another host"};
  }
  State state;
  std::optional<Timeline> timeline = Timeline::load(in);
  if (timeline) state.timeline = std::move(*timeline);
  state.coarse_bucket = in.fixed<std::int64_t>();
  state.fine_bucket = in.fixed<std::int64_t>();
  state.judged_bucket = in.fixed<std::int64_t>();
  state.due = static_cast<std::size_t>(in.varint());
  state.refused_total = in.fixed<std::uint64_t>();
  state.forgotten_total = in.fixed<std::uint64_t>();
  const std::int64_t hour = state.timeline.now_ms() / kHourMs;  // dates before 1970 are the clock's nonsense
  const auto is_near = [](std::int64_t bucket, std::int64_t now) { return bucket >= now - 1 && bucket <= now + 1; };
  const bool begun = is_near(state.fine_bucket, hour) && is_near(state.coarse_bucket, hour / 4) &&
                     state.judged_bucket == state.coarse_bucket - 1;
  const bool nothing = state.fine_bucket == 0 && state.coarse_bucket == 0 && state.judged_bucket == 0;
  if (state.timeline.started() ? !begun : !nothing) in.fail();
  const std::size_t count = in.count(kFewestSubjectBytes, options_.max_subjects);
  if (count > 0 && !state.timeline.started()) in.fail();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    auto subject = std::make_unique<Subject>();
    Open open;
    const auto kind = in.fixed<std::uint8_t>(), pool = in.fixed<std::uint8_t>(), verdict = in.fixed<std::uint8_t>();
    if (kind >= kKindCount || pool >= kPoolCount || verdict > static_cast<std::uint8_t>(Verdict::kLeak)) in.fail();
    subject->kind = static_cast<Kind>(kind);
    subject->pool = static_cast<Pool>(pool);
    subject->verdict = static_cast<Verdict>(verdict);
    subject->scores_used = in.fixed<std::uint8_t>();
    if (subject->scores_used > kScores) in.fail();
    subject->weak_judgements = in.fixed<std::uint16_t>();
    subject->watch_judgements = in.fixed<std::uint16_t>();
    subject->text = in.string(kMaxTextBytes);
    subject->limit = std::bit_cast<double>(in.fixed<std::uint64_t>());
    for (std::int64_t* at : {&subject->first_seen_ms, &subject->first_detected_ms, &subject->since_ms}) {
      *at = in.fixed<std::int64_t>();
      if (*at > state.timeline.now_ms() || *at < Timeline::kEarliestMs) in.fail();
    }
    for (float* value : {&subject->slope_per_day, &subject->slope_error_per_day, &subject->strength, &open.coarse, &open.fine,
                         &open.outstanding, &open.last}) {
      *value = read_float(in);
      if (std::isinf(*value)) *value = kNothing;
    }
    for (float* value : {&open.coarse, &open.fine, &open.outstanding, &open.last}) refuse_impossible({value, 1});
    for (const float value : {subject->slope_per_day, subject->slope_error_per_day, subject->strength}) {
      if (std::isnan(value)) in.fail();
    }
    if (open.outstanding < 0 || std::abs(subject->limit) > kMostLimit) in.fail();
    if (!is_plain_utf8(subject->text)) in.fail();  // would make a page that nobody can read
    open.absent_hours = in.fixed<std::uint32_t>() & kMostAbsentHours;
    read_ring(in, subject->scores);
    Floors floors{};
    read_ring(in, floors);
    read_ring(in, subject->history.fine);
    Counts counts{};
    read_ring(in, counts);
    if (version >= kVersionWithSurges) {
      read_ring(in, subject->history.highs);
      for (std::uint16_t& high : subject->history.highs)
        if (!(std::abs(ShortFloat::unpack(high)) <= kMostAmount)) high = ShortFloat::kMissing;
      SurgeState surge;
      for (std::int64_t* at : {&surge.since_ms, &surge.told_ms, &surge.high_ms}) {
        *at = in.fixed<std::int64_t>();
        if (*at > std::max<std::int64_t>(state.timeline.now_ms(), 0) || *at < Timeline::kEarliestMs) in.fail();
      }
      for (float* value : {&surge.high, &surge.growth, &surge.pace_per_day}) {
        *value = read_float(in);
        if (!(std::abs(*value) <= kMostOfSurge)) in.fail();
      }
      open.low = read_float(in);
      refuse_impossible({&open.low, 1});
      surge.ends_soon = in.fixed<std::uint8_t>() != 0;
      if (surge.active()) subject->surging = std::make_unique<SurgeState>(surge);
    } else {
      take_highs(subject->history, floors, state.coarse_bucket);
    }
    refuse_impossible(subject->scores);
    refuse_impossible(floors);
    for (std::size_t at = 0; at < floors.size(); ++at) subject->history.coarse.set(at, floors[at], counts[at]);
    refuse_impossible(subject->history.fine);
    if (!subject->may_leak()) subject->acquit();
    open.surging = subject->surge().active();
    open.key = key_of(subject->kind, subject->pool, subject->text);
    state.subjects.push_back(std::move(subject));
    state.open.push_back(open);
  }
  state.due = std::min(state.due, state.subjects.size());
  if (version >= kVersionWithSurges) {
    for (DayOfRoom& room : std::span(state.rooms).first<kKeptTotals>()) room.load(in, state.fine_bucket);
    state.recent.load(in, state.subjects.size(), state.timeline.now_ms());
  } else {
    for (std::size_t slot = 0; slot < state.subjects.size(); ++slot) state.recent.add_subject();
  }
  const std::int64_t watched_ms =
      version >= kVersionWithWatched ? in.fixed<std::int64_t>() : std::numeric_limits<std::int64_t>::max();
  if (watched_ms < 0) in.fail();
  if (const base::Result<void> end = in.finish(); !end) return end.error().within("trend state");
  base::FlatIndex index;
  for (std::uint32_t slot = 0; slot < state.open.size(); ++slot) {
    const Subject& subject = *state.subjects[slot];
    const auto is_same = [&](std::uint32_t other) {
      return state.subjects[other]->is(subject.kind, subject.pool, subject.text);
    };
    if (index.find(state.open[slot].key, is_same) != base::FlatIndex::kNone)
      return base::Error{base::ErrorCode::kMalformed, "trend state holds a subject twice"};
    index.insert(state.open[slot].key, slot);
  }
  state_ = std::move(state);
  index_ = std::move(index);
  std::int64_t oldest_ms = state_.timeline.now_ms();
  for (const auto& subject : state_.subjects) oldest_ms = std::min(oldest_ms, subject->first_seen_ms);
  // Where the clock was set again and again, rings hold a reading a bucket and nothing between.
  seen_ms_ = std::min({state_.timeline.now_ms() - oldest_ms, seen_in_rings_ms(), watched_ms});
  gap_ms_ = 0;
  week_growths_.clear();
  falls_.clear();
  falls_unlooked_ = true;
  order_.clear();
  tick_ = 0;
  last_admission_hour_ = -1;
  return {};
}

}  // namespace kmem::trend
