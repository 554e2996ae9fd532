// STAGE 6, the page: View -> what is wrong with this machine, in one line and a few more. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/page/view.h"

namespace kmem::page {

struct Verdict {
  enum class State {
    kCalm,
    kUnknown,  // too little history, or nothing is judged
    kWarning,  // something is short or cannot be read
    kSurge,    // something grows now, beyond all before
    kLeak,
    kFailed,  // the kernel cannot be read
  };
  State state = State::kCalm;
  std::string headline;
  std::vector<std::string> details;
  /// What headline and details say of times, each as `words` in them, for a reader in another zone.
  struct Moment {
    std::string words;
    base::UnixMillis time = 0;
    std::string_view form;  // as Html::time's
  };
  std::vector<Moment> moments;
};

[[nodiscard]] Verdict judge(const View& view);
[[nodiscard]] std::string_view state_name(Verdict::State state);
/// "driver a.sys", "drivers a.sys, b.sys", or the component's description; empty when nobody is known.
[[nodiscard]] std::string driver_words(const std::vector<Driver>& drivers);
/// "pool limit reached in about 41 days (127 MiB left at the day's peak)"; empty where nothing leads there. Where
/// other growth than the subject's own is reckoned with, that, too: "(127 MiB left at the day's peak, +3.10 MiB/day)".
[[nodiscard]] std::string end_words(const trend::SubjectReport& report);
/// "tag X (nonpaged), driver y, +20.0 MiB/hour for about 3.2 hours; 200 MiB left (pool limit) would last about 10 hours"; where
/// that is weeks: "..., to 1.6 times what it held; 12.0 GiB left (pool limit), so that no end is near".
[[nodiscard]] std::string surge_words(const Subject& surge, base::UnixMillis now);
/// "1.6", "12"
[[nodiscard]] std::string times_words(double times);
/// "pool limit reached", "available memory used up"
[[nodiscard]] std::string reached_words(trend::Bound bound);
/// "127 MiB left at the day's peak", and the pace where it is another than what is said beside it.
[[nodiscard]] std::string left_words(const trend::Exhaustion& end, trend::Kind kind, std::optional<double> said_per_second);
/// Growth a day as the subject's own numbers move: negative for free entries that go away.
[[nodiscard]] double growth_a_day(const trend::SubjectReport& report);

/// How full, 0 to 1 and above; of free entries how few. None where no limit is known.
[[nodiscard]] std::optional<double> fullness(const Resource& resource);
/// Whether it is short of room by itself, whatever the trend says.
[[nodiscard]] bool is_short(const Resource& resource);

}  // namespace kmem::page
