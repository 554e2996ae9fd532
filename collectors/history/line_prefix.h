// What tools put before each line of a log: its number (grep -n, cat -n, a forum's code box), a file's name (grep, findstr), a
// host's (ansible, pdsh), the "+" of diff, the time (ts, docker logs -t) and syslog's words; and quoted-printable's soft ends
// of lines. Told by the file's head. Thread: one. Failure: nullopt when lines stand as they were written; what belongs to
// another is listed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kmem::history {

class LinePrefix {
 public:
  /// `head` is whole lines, decoded, but for the last.
  [[nodiscard]] static std::optional<LinePrefix> of(std::string_view head);

  /// Why such lines cannot be used, as those of several hosts; empty: nothing.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// Lines that were parted are put together: no format can be told before.
  [[nodiscard]] bool joins_lines() const { return !layers_.empty() && layers_[0].kind == Kind::kSoftEnds; }
  /// Whose they are; empty: not told.
  [[nodiscard]] const std::string& host() const { return host_; }
  /// In reports.
  [[nodiscard]] std::string words() const;
  /// Rows have their own times: the prefix's become no lines above them.
  void leave_times() { leaves_times_ = true; }
  void give_times() { leaves_times_ = false; }
  /// Every line in order, with its number. False: it is of something else, or goes on in the next one. `above`: a date that belongs
  /// above it; empty: none. `skip` is told why a line is left out.
  bool take(std::string& line, std::string& above, std::uint64_t number,
            const std::function<void(std::uint64_t, const std::string&)>& skip);
  /// The head without it.
  [[nodiscard]] std::string taken_off(std::string_view head) const;

 private:
  enum class Kind { kEnds, kQuotes, kAdded, kSoftEnds, kNumber, kName, kStamp };
  struct Layer {
    Kind kind = Kind::kNumber;
    char mark = ':';         // behind the number or the name
    std::size_t blanks = 0;  // behind it
    std::string name = {};   // of the file or host; of syslog "HOST PROGRAM", empty: a time alone
  };

  static std::optional<Layer> find_soft_ends(const std::vector<std::string_view>& lines);
  static std::optional<Layer> find_number(const std::vector<std::string_view>& lines);
  std::optional<Layer> find_name(const std::vector<std::string_view>& lines);
  std::optional<Layer> find_stamp(const std::vector<std::string_view>& lines);
  bool take_name(const Layer& layer, std::string& line, std::uint64_t number,
                 const std::function<void(std::uint64_t, const std::string&)>& skip);
  bool take_stamp(const Layer& layer, std::string& line, std::string& above, std::uint64_t number,
                  const std::function<void(std::uint64_t, const std::string&)>& skip);
  void say_several(const std::string& first, const std::string& other, std::string_view mark);

  std::vector<Layer> layers_;
  std::string problem_, host_;
  std::string held_;                       // that goes on
  std::string date_, given_, first_word_;  // of the last line's time, of the one that was given, and below that
  std::int64_t second_ = -1;               // of the day
  bool leaves_times_ = false;
  std::set<std::string, std::less<>> others_;  // names of others, whose lines are passed over
  bool told_of_others_ = false;
};

}  // namespace kmem::history
