#include "collectors/history/whole_look.h"

#include <algorithm>
#include <array>
#include <limits>

#include "collectors/base/time_words.h"
#include "collectors/history/hosts_by_name.h"
#include "collectors/history/snapshot_reader.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::size_t kMostLostRows = 1000;
constexpr int kTimesTheSpan = 4;
constexpr std::size_t kMostFar = 3;  // looks of a host years ahead of all others that are slips

}  // namespace

bool Gathered::merge(Snapshot&& other, Contradictions* contradictions) {
  if (!merged) {
    merged = std::make_unique<SnapshotBuilder>();
    (void)merged->merge(std::move(snapshot));
  }
  return merged->merge(std::move(other), contradictions);
}

bool WholeLook::is_far_ahead(const Gathered& look, const Gathered* before) const {
  const auto span = spans_.find(look.host);
  if (span == spans_.end() && before == nullptr) return false;
  const UnixMillis time = look.seen().time;
  const UnixMillis last = before != nullptr ? before->seen().time : span->second.last;
  const UnixMillis first = span == spans_.end() ? last : span->second.first;
  const std::size_t looks = (span == spans_.end() ? 0 : span->second.looks) + (before != nullptr ? 1 : 0);
  return looks > 1 && time - last > kYearMs && (time - last) / kTimesTheSpan > last - first;
}

void WholeLook::let_go(Gathered&& look, std::deque<Gathered>& ready) {
  if (!is_far_ahead(look)) return make_ready(std::move(look), ready);
  std::vector<Gathered>& far = far_[look.host];
  far.push_back(std::move(look));
  if (far.size() <= kMostFar) return;
  for (Gathered& one : std::exchange(far, {})) make_ready(std::move(one), ready);
}

void WholeLook::make_ready(Gathered&& look, std::deque<Gathered>& ready) {
  if (spans_.size() < kMostHosts || spans_.contains(look.host)) {
    Span& span = spans_[look.host];
    const UnixMillis time = look.seen().time;
    if (span.looks++ == 0) span.first = time;
    span.last = time;
  }
  ready.push_back(std::move(look));
}

void WholeLook::drop_far() {
  for (const auto& [host, looks] : far_)
    for (const Gathered& look : looks)
      notes_.skip(look.path, look.line,
                  "its time, " + base::rfc3339(look.seen().time) + ", lies years ahead of all others, and is one of the last");
  far_.clear();
}

void WholeLook::settle(Snapshot& snapshot, const Gathered& of) {
  // Until now they told that other files of the time contradict them.
  const auto is_dead = [](const TagUsage& tag) { return tag.bytes == 0 && (!tag.has_outstanding || tag.outstanding == 0); };
  snapshot.tags.erase(std::remove_if(snapshot.tags.begin(), snapshot.tags.end(), is_dead), snapshot.tags.end());
  drop_sums(snapshot, of.path);
  note_cuts(snapshot, of);
  note_jump(snapshot, of);
}

void WholeLook::note_jump(const Snapshot& snapshot, const Gathered& of) {
  if (jumps_.size() >= kMostHostsNamed && !jumps_.contains(of.host)) return;
  Jumps& own = jumps_[of.host];
  const bool is_other = !own.path.empty() && own.path != of.path && parts_of_name(own.path) != parts_of_name(of.path);
  own.path = of.path;
  if (!own.jumps.note(snapshot, is_other) || !told_of_jumps_.insert(of.host).second) return;
  notes_.warn(of.path, (of.line > 0 ? "line " + std::to_string(of.line) + ": " : std::string()) +
                           "nearly all tags jump at once here, and no boot explains it, as where "
                           "another host's readings begin: " +
                           (of.host.empty() ? std::string("all") : "all of " + in_quotes(of.host)) +
                           " are judged as one host's; if they are of two, give each alone");
}

void WholeLook::note_cuts(Snapshot& snapshot, const Gathered& of) {
  const std::string& host = of.host;
  if (cuts_.size() >= kMostHostsNamed && !cuts_.contains(host)) return;
  const auto [found, is_new] = cuts_.try_emplace(host);
  ListCuts& cuts = found->second;
  for (std::size_t i = 0; is_new && i < ListCuts::kLists; ++i)
    if (known_.ragged.contains({host, i})) cuts.set_ragged(i);
  cuts.note(snapshot, of.ends_file);
  if (cuts.is_last_cut())
    notes_.warn(of.path,
                "its last list ends before rows that stood behind the others before: it may be cut there, and what it "
                "lacks is unknown, not 0");
  if (cuts.is_last_without() && told_of_without_.insert(host).second)
    notes_.warn(
        of.path,
        "its last list lacks a tag of much that stood in the one before it, and no total fell by as much: what it lacks "
        "is unknown, not 0");
  for (const ListCuts::Back& row : cuts.back())
    if (learned_.lost.size() < kMostLostRows) learned_.lost.insert({host, row.list, row.after, snapshot.time});
  for (auto lost = known_.lost.lower_bound(LostRow{host, 0, std::numeric_limits<UnixMillis>::min(), 0});
       lost != known_.lost.end() && lost->host == host; ++lost) {
    if (snapshot.time <= lost->after || snapshot.time >= lost->before) continue;
    ListCuts::add_gaps(snapshot, lost->list);
    if (told_of_lost_.insert(host).second)
      notes_.warn(of.path,
                  std::string(host.empty() ? "" : "host " + in_quotes(host) + ": ") +
                      "a row that is missing here comes again with counts, or the same bytes, which show that it was there all "
                      "the time; "
                      "what such lists lack is unknown, not 0");
  }
  for (std::size_t i = 0; i < ListCuts::kLists; ++i)
    if (cuts.is_ragged(i) && told_of_ragged_.insert({host, i}).second) {
      learned_.ragged.insert({host, i});
      notes_.warn(of.path, std::string(host.empty() ? "" : "host " + in_quotes(host) + ": ") +
                               "rows are missing here and there: tags go and come again as if they had been there all the "
                               "time; what is not listed is unknown, not 0");
    }
}

// A row whose every value is the sum of all others' of its look is a sum, whatever its name.
void WholeLook::drop_sums(Snapshot& snapshot, const std::string& path) {
  constexpr std::size_t kFewestOthers = 3;
  constexpr std::uint64_t kFewestBytes = 4096;
  std::vector<TagUsage>& tags = snapshot.tags;
  std::array<std::uint64_t, 2> all{};
  std::array<std::size_t, 2> rows{};
  const auto of = [](const TagUsage& tag) { return static_cast<std::size_t>(tag.pool); };
  for (const TagUsage& tag : tags)
    if (tag.pool <= Pool::kNonpaged) all[of(tag)] += tag.bytes, ++rows[of(tag)];
  const auto is_half = [&](const TagUsage& tag) {
    return tag.pool <= Pool::kNonpaged && tag.bytes >= kFewestBytes && tag.bytes == all[of(tag)] - tag.bytes;
  };
  for (const TagUsage& tag : tags) {
    if (!is_half(tag) || rows[of(tag)] <= kFewestOthers || learned_.sums.contains(tag.tag)) continue;
    const std::size_t other = 1 - of(tag);
    const auto is_its = [&](const TagUsage& one) { return one.tag == tag.tag && of(one) == other && is_half(one); };
    if (all[other] == 0 || std::any_of(tags.begin(), tags.end(), is_its)) learned_.sums.insert(tag.tag);
  }
  if (learned_.sums.empty()) return;
  const auto is_sum = [&](const TagUsage& tag) { return tag.pool <= Pool::kNonpaged && learned_.sums.contains(tag.tag); };
  for (const TagUsage& tag : tags)
    if (is_sum(tag) && told_of_sums_.insert(tag.tag).second)
      notes_.warn(path, "rows of " + in_quotes(tag.tag) + " are the sums of all others and so no tags; they are passed over");
  tags.erase(std::remove_if(tags.begin(), tags.end(), is_sum), tags.end());
}

}  // namespace kmem::history
