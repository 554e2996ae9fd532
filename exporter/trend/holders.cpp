#include "exporter/trend/holders.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "collectors/base/clock.h"
#include "collectors/handle_table.h"

namespace kmem::trend {
namespace {

// The object manager charges an object to a tag of the first four letters of its type's name, filled up with blanks
// (Windows Internals, "Object types"; pooltag.txt lists them as "... objects"). Types are those of NtQueryObject.
constexpr std::array kTypes = std::to_array<ObjectType>({
    {"ALPC", "ALPC Port", "ALPC port handles"},
    {"Desk", "Desktop", "desktop handles"},
    {"Dire", "Directory", "object directory handles"},
    {"EtwR", "EtwRegistration", "event tracing handles"},
    {"Even", "Event", "event handles"},
    {"File", "File", "file handles"},
    {"IoCo", "IoCompletion", "completion port handles"},
    {"Job ", "Job", "job handles"},
    {"Key ", "Key", "registry key handles"},
    {"Muta", "Mutant", "mutex handles"},
    {"Proc", "Process", "process handles"},
    {"Sect", "Section", "section handles"},
    {"Sema", "Semaphore", "semaphore handles"},
    {"Symb", "SymbolicLink", "symbolic link handles"},
    {"Thre", "Thread", "thread handles"},
    {"Time", "Timer", "timer handles"},
    {"Toke", "Token", "token handles"},
    {"TpWo", "TpWorkerFactory", "worker factory handles"},
    {"Wait", "WaitCompletionPacket", "wait packet handles"},
    {"Wind", "WindowStation", "window station handles"},
});
// Linux counts what is open once for all types.
constexpr ObjectType kOpenFiles{"filp", "file", "open files"};

constexpr double kLeastOfGrowth = 0.5;       // of the growth: with less, others matter as much
constexpr double kMostTimes = 4;             // as fast as the tag: other handles grow, and say nothing about this one
constexpr std::uint64_t kLeastGrowth = 200;  // allocations: fewer come and go

struct Named {
  std::string process;
  std::uint64_t pid = 0;
};

/// "NAME (PID)", as the sampler calls a process.
Named split(std::string_view text) {
  const std::size_t open = text.rfind(" (");
  std::uint64_t pid = 0;
  if (open == std::string_view::npos || !text.ends_with(')')) return {std::string(text), 0};
  const char* const end = text.data() + text.size() - 1;
  const auto parsed = std::from_chars(text.data() + open + 2, end, pid);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return {std::string(text), 0};
  return {std::string(text.substr(0, open)), pid};
}

struct Window {
  std::optional<double> SubjectReport::*slope;
  double seconds;
};
constexpr std::array kWindows = std::to_array<Window>({
    {&SubjectReport::slope_28d_per_second, 28 * base::kSecondsPerDay},
    {&SubjectReport::slope_7d_per_second, 7 * base::kSecondsPerDay},
    {&SubjectReport::slope_1d_per_second, base::kSecondsPerDay},
    {&SubjectReport::slope_6h_per_second, 6 * base::kSecondsPerHour},
    {&SubjectReport::slope_1h_per_second, base::kSecondsPerHour},
    {&SubjectReport::slope_5m_per_second, 300.0},
});

struct Gain {
  double share = 0;    // of the tag's growth
  double handles = 0;  // in the window, as fast as it went
};

/// What the process gained of the tag's growth, over the longest window that both have.
std::optional<Gain> gain_of(const SubjectReport& process, const SubjectReport& tag, double longest) {
  for (const Window& window : kWindows) {
    const auto& handles = process.*window.slope;
    const auto& bytes = tag.*window.slope;
    if (window.seconds > longest || !handles || !bytes || *bytes <= 0) continue;
    return Gain{*handles * *tag.bytes_per_allocation / *bytes, *handles * window.seconds};
  }
  return std::nullopt;
}

std::string with_commas(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

}  // namespace

const ObjectType* object_type_of(Pool pool, std::string_view tag) {
  if (pool == Pool::kSlabUnreclaimable || pool == Pool::kSlabReclaimable) return tag == kOpenFiles.tag ? &kOpenFiles : nullptr;
  if (pool != Pool::kPaged && pool != Pool::kNonpaged) return nullptr;
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [tag](const ObjectType& one) { return one.tag == tag; });
  return found == kTypes.end() ? nullptr : &*found;
}

std::string holder_words(const Holder& holder, Pool pool, std::string_view tag) {
  const ObjectType* const type = object_type_of(pool, tag);
  std::string words = std::to_string(std::lround(100 * holder.share)) + " % of ";
  words += holder.basis == Holder::Basis::kTypeHeld ? "them held by " : "the growth by ";
  words += holder.process;
  if (holder.pid != 0) words += " (pid " + std::to_string(holder.pid) + ")";
  words += ": " + with_commas(holder.handles) + " ";
  if (type == &kOpenFiles) return words + std::string(kOpenFiles.plural);
  return words + std::string(holder.basis == Holder::Basis::kGrowth || type == nullptr ? "handles" : type->plural);
}

std::string holder_words(const std::optional<Holder>& holder, const SubjectReport& subject) {
  return holder ? holder_words(*holder, subject.pool, subject.text) : std::string();
}

std::string short_holder_words(const Holder& holder) {
  const std::string pid = holder.pid == 0 ? "" : "(" + std::to_string(holder.pid) + ")";
  return std::to_string(std::lround(100 * holder.share)) + "% " + holder.process + pid;
}

std::string_view basis_name(Holder::Basis basis) {
  static constexpr std::array<std::string_view, 3> kBasisNames = {"growth", "type_growth", "type_held"};
  return kBasisNames[static_cast<std::size_t>(basis)];
}

std::optional<Holder> find_holder(const TrendEngine& engine, const SubjectReport& tag, const HolderWatch* types) {
  if (tag.kind != Kind::kTag || object_type_of(tag.pool, tag.text) == nullptr || !tag.bytes_per_allocation) return std::nullopt;
  const auto now = engine.summary().time;
  double longest = kWindows.front().seconds;
  if (tag.surge && tag.verdict != Verdict::kLeak && now)
    longest = std::max(kWindows.back().seconds, static_cast<double>(*now - tag.surge->since) / 1000);
  std::optional<Holder> best;
  for (const Outline& outline : engine.outlines()) {
    if (outline.kind != Kind::kHandles) continue;
    const auto process = engine.find(outline.kind, outline.pool, outline.text);
    if (!process || process->last_amount < 1) continue;  // one that ended holds nothing: all of its handles were closed
    const Gain gain = gain_of(*process, tag, longest).value_or(Gain{});
    const double share = gain.share;
    if (share < kLeastOfGrowth || share > kMostTimes || (best && share <= best->share)) continue;
    Named named = split(process->text);
    // A process younger than the window has gained no more than it has.
    if (types != nullptr && types->acquits(tag.pool, tag.text, named.pid, std::min(gain.handles, process->last_amount)))
      continue;
    best = Holder{std::move(named.process), named.pid, Holder::Basis::kGrowth, share,
                  static_cast<std::uint64_t>(std::llround(std::max(0.0, process->last_amount)))};
  }
  if (best) best->share = std::min(1.0, best->share);
  return best;
}

void HolderWatch::observe(const Snapshot& snapshot) {
  is_told_ = !snapshot.object_handles.empty();
  const auto is_same = [](const ObjectHandles& a, const ObjectHandles& b) {
    return a.pid == b.pid && a.handles == b.handles && a.type == b.type;
  };
  const std::vector<ObjectHandles>& told = snapshot.object_handles;
  if (!is_told_ || std::equal(told.begin(), told.end(), table_.begin(), table_.end(), is_same)) return;
  table_ = snapshot.object_handles;
  outstanding_.clear();
  names_.clear();
  for (const TagUsage& row : snapshot.tags)
    if (row.has_outstanding && object_type_of(row.pool, row.tag) != nullptr)
      outstanding_[{row.pool, row.tag}] = row.outstanding;
  for (const ObjectHandles& row : table_) names_[row.pid];
  for (const ProcessUsage& process : snapshot.processes)
    if (const auto named = names_.find(process.pid); named != names_.end()) named->second = process.name;
}

std::optional<Holder> HolderWatch::find(Pool pool, std::string_view tag) {
  const ObjectType* const type = object_type_of(pool, tag);
  if (type == nullptr) return std::nullopt;
  asked_ = true;
  const Tag subject{pool, tag};
  const auto known = bases_.find(subject);
  if (known != bases_.end()) known->second.asked = true;
  const auto counted = outstanding_.find(subject);
  if (!is_told_ || counted == outstanding_.end()) return std::nullopt;
  const std::uint64_t outstanding = counted->second;
  std::map<std::uint64_t, std::uint64_t> now;
  std::uint64_t fewest = table_.front().handles;
  for (const ObjectHandles& row : table_) {
    if (row.type == type->type) now[row.pid] += row.handles;
    fewest = std::min(fewest, row.handles);
  }
  if (known == bases_.end()) bases_[subject] = {outstanding, now, table_.size() < kMaxHandleRows ? 0 : fewest, true};
  const Base& base = bases_[subject];

  const auto best_of = [&](double whole, auto amount) -> std::optional<std::pair<std::uint64_t, double>> {
    std::optional<std::pair<std::uint64_t, double>> best;
    for (const auto& [pid, handles] : now) {
      const double share = amount(pid, handles) / whole;
      if (share >= kLeastOfGrowth && (!best || share > best->second)) best.emplace(pid, share);
    }
    return best;
  };
  auto basis = Holder::Basis::kTypeGrowth;
  std::optional<std::pair<std::uint64_t, double>> best;
  if (outstanding >= base.outstanding + kLeastGrowth) {
    best = best_of(static_cast<double>(outstanding - base.outstanding), [&](std::uint64_t pid, std::uint64_t handles) {
      const auto before = base.handles.find(pid);
      return static_cast<double>(handles) - static_cast<double>(before == base.handles.end() ? base.unlisted : before->second);
    });
  } else if (outstanding >= kLeastGrowth) {
    basis = Holder::Basis::kTypeHeld;
    best = best_of(static_cast<double>(outstanding),
                   [](std::uint64_t, std::uint64_t handles) { return static_cast<double>(handles); });
  }
  if (!best) return std::nullopt;
  const std::string& name = names_[best->first];
  return Holder{name.empty() ? "a process" : name, best->first, basis, std::min(1.0, best->second), now[best->first]};
}

bool HolderWatch::acquits(Pool pool, std::string_view tag, std::uint64_t pid, double gained) const {
  const ObjectType* const type = object_type_of(pool, tag);
  if (type == nullptr || !is_told_ || table_.empty()) return false;
  std::uint64_t held = 0, fewest = table_.front().handles;
  bool is_listed = false;
  for (const ObjectHandles& row : table_) {
    fewest = std::min(fewest, row.handles);
    if (row.pid != pid || row.type != type->type) continue;
    held += row.handles;
    is_listed = true;
  }
  if (!is_listed && table_.size() >= kMaxHandleRows) held = fewest;  // it may have had no room
  if (static_cast<double>(held) < kLeastOfGrowth * gained) return true;
  const auto base = bases_.find({pool, std::string(tag)});
  const auto counted = outstanding_.find({pool, std::string(tag)});
  if (base == bases_.end() || counted == outstanding_.end() || counted->second < base->second.outstanding + kLeastGrowth)
    return false;
  const auto before = base->second.handles.find(pid);
  return before != base->second.handles.end() && held <= before->second;
}

void HolderWatch::end_review() {
  std::erase_if(bases_, [](const auto& base) { return !base.second.asked; });
  for (auto& [tag, base] : bases_) base.asked = false;
  if (!asked_) table_.clear(), outstanding_.clear(), names_.clear(), is_told_ = false;
  asked_ = false;
}

}  // namespace kmem::trend
