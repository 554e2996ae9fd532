// Tables of tags that are not whole: cut by `head`, a screen or "the first 20", or torn at a file's end. Nothing in them
// says so. But what is lost would stand behind the last row, in the order of the table before, or is less than the smallest
// amount; and a cut table has as many rows each time. Such a list has gaps: what it lacks is not gone. Nor is it where rows
// are missing here and there: tags go and come again, and their counts, or sizes, show that they were there all the time.
// Thread: one. Failure: none; of a few rows nothing can be told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/snapshot.h"

namespace kmem::history {

/// One host's, in the order of time.
class ListCuts {
 public:
  /// Adds to the gaps. `ends_file`: nothing stands below it.
  void note(Snapshot& snapshot, bool ends_file);

  static constexpr std::size_t kLists = 4;
  /// Rows are missing here and there from now on, or as an earlier look found out.
  [[nodiscard]] bool is_ragged(std::size_t list) const { return lists_[list].is_ragged; }
  void set_ragged(std::size_t list) { lists_[list].is_ragged = true; }
  /// What this list of the snapshot lacks is unknown.
  static void add_gaps(Snapshot& snapshot, std::size_t list);
  /// Rows that came back with the last snapshot and had been there since this time, as their counts prove, or the same amount
  /// after one look without it.
  struct Back {
    std::size_t list = 0;
    base::UnixMillis after = 0;
  };
  [[nodiscard]] const std::vector<Back>& back() const { return back_; }
  /// The last snapshot ends a file between two rows: those that stood behind them before are missing.
  [[nodiscard]] bool is_last_cut() const { return is_last_cut_; }
  /// It ends a file, and lacks a tag of much that stood in the one before it, by which no total fell.
  [[nodiscard]] bool is_last_without() const { return is_last_without_; }

 private:
  struct Row {
    std::uint64_t key = 0, bytes = 0, outstanding = 0;
    bool is_counted = false;
    std::uint64_t allocations = 0, frees = 0;
    base::UnixMillis time = 0;
    std::size_t gone = 0;       // the look that was the first without it
    bool was_with_all = false;  // which has no row of the one before it
    Pool pool = Pool::kPaged;
  };
  struct List {  // pools that one table lists together
    std::vector<Row> rows;
    std::size_t cut_at = 0;  // rows; 0: it was whole
    std::size_t looks = 0;
    bool is_ragged = false;
    int evidence = 0;                      // for it
    bool is_proved = false;                // by counts
    std::map<std::uint64_t, Row> missing;  // those that went, as they were, by key
    std::set<std::uint64_t> back;          // those that came again
  };
  struct Change {
    std::size_t kept = 0, lost = 0;
    bool is_behind = false;  // the lost ones stood below all others, and the last row did already then
    bool is_below = false;   // or held little more than the smallest does now
  };
  [[nodiscard]] Change change(List& list, const std::vector<Row>& now);
  void look_for_missing(List& list, const std::vector<Row>& there);
  /// It was there between the two, as far as can be told: by its counts, which prove it, or by its bytes.
  enum class Between { kNo, kLikely, kSurely };
  [[nodiscard]] static Between was_there(const Row& before, const Row& now);
  [[nodiscard]] bool is_cut(List& list, const std::vector<Row>& now, bool ends_file);

  std::array<List, kLists> lists_;
  std::array<std::vector<Row>, kLists> now_;
  std::vector<Back> back_;
  bool is_last_cut_ = false, is_last_without_ = false;
  /// What each pool has beside its tags; below 0 where tags are more than the total.
  std::array<std::optional<std::int64_t>, kPoolCount> beside_, beside_before_;
  void see_totals(const Snapshot& snapshot);
  [[nodiscard]] bool is_without_much(const List& list, const std::vector<Row>& now) const;
};

}  // namespace kmem::history
