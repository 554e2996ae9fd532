// STAGE 3 beside the verdicts: a leaked object is charged to its type's tag (Even, Thre, File), which names no driver.
// This names the process that holds it open, by one of two kinds of evidence. By the history of both, the process'
// handles grow alongside the tag's allocations. Or the kernel, asked while the suspect stands, tells its handles of that
// type. Thread: find_holder() and the words are pure; HolderWatch: one caller. Failure: no evidence, no holder.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/snapshot.h"
#include "exporter/trend/engine.h"

namespace kmem::trend {

struct ObjectType {
  std::string_view tag;     // as the pools have it: "Even", "Key "; or a slab cache
  std::string_view type;    // as the kernel lists it: "Event"
  std::string_view plural;  // for people: "event handles"
};
/// None: the tag is of no object that handles hold.
[[nodiscard]] const ObjectType* object_type_of(Pool pool, std::string_view tag);

struct Holder {
  enum class Basis : std::uint8_t {
    kGrowth,      // `share` of the growth, by all handles of the process
    kTypeGrowth,  // of the growth since it was first looked for, by its handles of the type
    kTypeHeld,    // of all allocations that there are
  };
  std::string process;
  std::uint64_t pid = 0;
  Basis basis = Basis::kGrowth;
  double share = 0;           // 0 to 1
  std::uint64_t handles = 0;  // now; of the type, unless kGrowth

  bool operator==(const Holder&) const = default;
};

/// "98 % of the growth by updater.exe (pid 1234): 1,200,000 event handles"
[[nodiscard]] std::string holder_words(const Holder& holder, Pool pool, std::string_view tag);
/// The same of a subject; empty: nobody is known.
[[nodiscard]] std::string holder_words(const std::optional<Holder>& holder, const SubjectReport& subject);
/// For a narrow column: "98% updater.exe(1234)".
[[nodiscard]] std::string short_holder_words(const Holder& holder);
[[nodiscard]] std::string_view basis_name(Holder::Basis basis);

class HolderWatch;

/// By the history: who gains handles at least half as fast as the tag gains allocations, and no more than four times so,
/// over the longest time that is known of both. A process of the same boot that still runs; what surges is looked at for no
/// longer than that. `types`: who is acquitted by its handles of the type is passed over; may be null.
[[nodiscard]] std::optional<Holder> find_holder(const TrendEngine& engine, const SubjectReport& tag,
                                                const HolderWatch* types = nullptr);

/// What the kernel tells of handles by type while suspects stand. Its table is read every 10 minutes and stands between:
/// what it is compared with is of the reading that brought it, whenever a review asks.
class HolderWatch {
 public:
  /// At every reading, before find().
  void observe(const Snapshot& snapshot);
  /// In a review: `tag` stands. The first call with a table of handles is the base of growth.
  [[nodiscard]] std::optional<Holder> find(Pool pool, std::string_view tag);
  /// Whether `pid` cannot be who holds the objects, though it gained `gained` handles of all types: by the kernel's table it
  /// has not half as many of this type, or has gained none since it is looked at and the tag went on to grow.
  [[nodiscard]] bool acquits(Pool pool, std::string_view tag, std::uint64_t pid, double gained) const;
  /// Suspects that stand no more are forgotten: those not asked for since the last call.
  void end_review();

 private:
  using Tag = std::pair<Pool, std::string>;
  struct Base {
    std::uint64_t outstanding = 0;
    std::map<std::uint64_t, std::uint64_t> handles;  // by pid; no more than a table has rows
    std::uint64_t unlisted = 0;                      // what a process that is not in it may have had at most
    bool asked = true;
  };
  std::vector<ObjectHandles> table_;            // as it came last
  bool is_told_ = false;                        // by the last reading
  std::map<Tag, std::uint64_t> outstanding_;    // of objects' tags when the table came
  std::map<std::uint64_t, std::string> names_;  // of its processes
  std::map<Tag, Base> bases_;
  bool asked_ = false;  // anything, since end_review()
};

}  // namespace kmem::trend
