#include "exporter/page/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <span>

#include "collectors/base/time_words.h"
#include "exporter/page/lines.h"
#include "exporter/page/query.h"
#include "exporter/page/verdict.h"
#include "exporter/page/words.h"

namespace kmem::page {
namespace {

using trend::Kind;

constexpr double kTop = 26, kHeight = 190, kBottom = kTop + kHeight;  // pixels; the drawing is 250 high
constexpr double kWide = 1000;                                        // across, whatever the pixels
constexpr std::size_t kFewestBuckets = std::size_t{7} * trend::kBucketsPerDay;
constexpr std::size_t kMostNamedBoots = 3;
using base::kDayMillis;
constexpr base::UnixMillis kBucketMs = kDayMillis / trend::kBucketsPerDay;

/// What is drawn: lowest amounts of times that lie next to each other.
struct Line {
  std::span<const float> floors;
  base::UnixMillis start = 0, step = 0;

  [[nodiscard]] base::UnixMillis begin_of(std::size_t i) const { return start + static_cast<base::UnixMillis>(i) * step; }
  [[nodiscard]] base::UnixMillis middle_of(std::size_t i) const { return begin_of(i) + step / 2; }
};
Line weeks_of(const trend::Course& course) { return {course.floors, course.floors_start, kBucketMs}; }

/// What of time and amount the drawing covers.
struct Frame {
  std::size_t first = 0;  // of the line
  base::UnixMillis from = 0, to = 0;
  double low = 0, high = 1;

  [[nodiscard]] double share(base::UnixMillis at) const {
    return static_cast<double>(at - from) / static_cast<double>(to - from);
  }
  [[nodiscard]] double x(base::UnixMillis at) const { return kWide * share(at); }
  [[nodiscard]] double y(double amount) const {
    return kBottom - kHeight * std::clamp((amount - low) / (high - low), 0.0, 1.0);
  }
};

std::string amount_words(double amount, bool bytes) { return bytes ? byte_words(amount) : number_words(amount); }

/// 1, 2, 2.5 or 5 times a power of ten: about four of them make `range`.
double round_step(double range) {
  const double power = std::pow(10, std::floor(std::log10(range / 4)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0})
    if (range / (factor * power) <= 5) return factor * power;
  return 10 * power;
}

/// Shows at least the newest `fewest` of the line.
Frame frame_of(const Line& line, const std::vector<Piece>& pieces, std::size_t fewest) {
  Frame frame;
  const auto seen = std::find_if(line.floors.begin(), line.floors.end(), [](float floor) { return !std::isnan(floor); });
  frame.first = std::min(static_cast<std::size_t>(seen - line.floors.begin()), line.floors.size() - fewest);
  frame.from = line.begin_of(frame.first);
  frame.to = line.begin_of(line.floors.size());
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (const float floor : line.floors)
    if (!std::isnan(floor)) low = std::min(low, static_cast<double>(floor)), high = std::max(high, static_cast<double>(floor));
  for (const Piece& piece : pieces) high = std::max({high, piece.from_amount, piece.to_amount});
  const double room = std::max((high - low) * 0.08, high * 0.02);
  frame.high = std::max(high + room, 1.0);
  frame.low = low < 0.5 * high || std::isinf(low) ? 0 : low - room;
  return frame;
}

void add_amounts(Html& html, const Frame& frame, bool bytes) {
  static constexpr std::array<std::string_view, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  double scale = 1;
  while (bytes && frame.high / scale >= 1024 && unit + 1 < kUnits.size()) scale *= 1024, ++unit;
  const double step = round_step((frame.high - frame.low) / scale);
  for (double tick = std::ceil(frame.low / scale / step) * step; tick * scale < frame.high; tick += step) {
    std::array<char, 48> words{};
    std::snprintf(words.data(), words.size(), "%.4g", tick + 0.0);
    const double y = frame.y(tick * scale);
    html.raw("<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"").number(y).raw("\" y2=\"").number(y).raw("\"/>");
    html.raw("<text class=\"tick\" x=\"0\" y=\"").number(y - 4).raw("\">");
    html.raw(bytes ? std::string(words.data()) : number_words(tick));
    if (bytes && tick > 0) html.raw(" ").raw(kUnits[unit]);
    html.raw("</text>\n");
  }
}

void add_days(Html& html, const Frame& frame, base::UnixMillis now) {
  const base::UnixMillis days = (frame.to - frame.from) / kDayMillis;
  const base::UnixMillis step = kDayMillis * (days > 35 ? 14 : days > 14 ? 7 : 2);
  for (base::UnixMillis day = (frame.to / kDayMillis) * kDayMillis - step / 2; day > frame.from; day -= step) {
    const double share = frame.share(day);
    if (share < 0.05 || share > 0.95) continue;
    html.raw("<text class=\"day\" x=\"").number(100 * share).raw("%\" y=\"").number(kBottom + 20);
    html.raw("\" data-time=\"").raw(base::rfc3339(day)).raw("\">").raw(day_words(day, now)).raw("</text>\n");
  }
}

/// Every hour, or as many hours as leave room for the words.
void add_hours(Html& html, const Frame& frame) {
  const base::UnixMillis step = base::kHourMillis * (frame.to - frame.from > kDayMillis ? 12 : 1);
  for (base::UnixMillis hour = (frame.to / step) * step; hour > frame.from; hour -= step) {
    const double share = frame.share(hour);
    if (share < 0.05 || share > 0.95) continue;
    html.raw("<text class=\"day\" x=\"").number(100 * share).raw("%\" y=\"").number(kBottom + 20);
    html.raw("\" data-form=\"hour\" data-time=\"").raw(base::rfc3339(hour)).raw("\">");
    html.raw(base::rfc3339(hour).substr(11, 5)).raw("</text>\n");
  }
}

/// Runs of buckets that were seen, each as one line, a bucket alone as wide as it is; `closed` down to the ground.
void add_runs(Html& html, const Line& line, const Frame& frame, bool closed) {
  const auto& floors = line.floors;
  for (std::size_t i = frame.first; i < floors.size();) {
    if (std::isnan(floors[i])) {
      ++i;
      continue;
    }
    const bool alone = i + 1 == floors.size() || std::isnan(floors[i + 1]);
    const double left = frame.x(alone ? line.begin_of(i) : line.middle_of(i));
    for (const std::size_t begin = i; i < floors.size() && !std::isnan(floors[i]); ++i) {
      html.raw(i == begin ? "M" : " ").number(i == begin ? left : frame.x(line.middle_of(i))).raw(" ");
      html.number(frame.y(static_cast<double>(floors[i])) - kTop);
    }
    if (alone) html.raw("h").number(frame.x(line.begin_of(i)) - left);
    if (closed) html.raw("V").number(kHeight).raw("H").number(left).raw("Z");
  }
}

/// A leak's way to its end at its pace: to where nothing is left, or for six tenths as long as the weeks shown.
struct Outlook {
  Piece path;
  double end = 0;  // the amount with which nothing is left
  bool is_reached = false;
};

std::optional<Outlook> outlook_of(const Subject& subject, const std::vector<Piece>& pieces, const Frame& frame,
                                  base::UnixMillis now) {
  const auto& left = subject.report.exhaustion;
  if (subject.report.verdict != trend::Verdict::kLeak || pieces.empty() || !left || !std::isfinite(left->seconds) ||
      left->seconds <= 0 || left->pace_per_second <= 0)
    return std::nullopt;
  const double shown = 0.6e-3 * static_cast<double>(frame.to - frame.from), seconds = std::min(left->seconds, shown);
  const double sign = subject.report.kind == Kind::kSystemPtes ? -1 : 1;
  const double from = left->of_now ? subject.report.last_amount : pieces.back().to_amount;
  Outlook out;
  out.path = {now, now + static_cast<base::UnixMillis>(seconds * 1000), from,
              std::max(0.0, from + sign * left->pace_per_second * seconds)};
  out.end = std::max(0.0, from + sign * left->room);
  out.is_reached = left->seconds <= shown;
  return out;
}

void make_room_for(const Outlook& outlook, Frame& frame) {
  frame.to = std::max(frame.to, outlook.path.to);
  frame.high = std::max(frame.high, 1.05 * outlook.path.to_amount);
  if (outlook.path.to_amount < frame.low)
    frame.low = outlook.path.to_amount < 0.5 * frame.high ? 0 : 0.98 * outlook.path.to_amount;
}

void add_end(Html& html, const Outlook& outlook, const Frame& frame, bool bytes) {
  const double y = frame.y(outlook.end);
  html.raw("<line class=\"limit\" x1=\"0\" x2=\"100%\" y1=\"").number(y).raw("\" y2=\"").number(y);
  html.raw("\"/><text class=\"tick\" text-anchor=\"end\" x=\"100%\" y=\"").number(y - 4).raw("\">nothing left at ");
  html.raw(amount_words(outlook.end, bytes)).raw("</text>\n");
}

void add_lines(Html& html, const Line& line, const std::vector<Piece>& pieces, const Frame& frame,
               const Outlook* outlook = nullptr) {
  html.raw("<svg y=\"").number(kTop).raw("\" width=\"100%\" height=\"").number(kHeight);
  html.raw("\" viewBox=\"0 0 1000 ").number(kHeight).raw("\" preserveAspectRatio=\"none\">");
  if (frame.low == 0) {
    html.raw("<path class=\"area\" d=\"");
    add_runs(html, line, frame, true);
    html.raw("\"/>");
  }
  html.raw("<path class=\"floor\" d=\"");
  add_runs(html, line, frame, false);
  html.raw("\"/>");
  for (const Piece& piece : pieces) {
    html.raw("<path class=\"trend\" d=\"M").number(frame.x(piece.from)).raw(" ").number(frame.y(piece.from_amount) - kTop);
    html.raw("L").number(frame.x(piece.to)).raw(" ").number(frame.y(piece.to_amount) - kTop).raw("\"/>");
  }
  if (outlook != nullptr) {
    const Piece& path = outlook->path;
    html.raw("<path class=\"outlook\" d=\"M").number(frame.x(path.from)).raw(" ").number(frame.y(path.from_amount) - kTop);
    html.raw("L").number(frame.x(path.to)).raw(" ").number(frame.y(path.to_amount) - kTop).raw("\"/>");
  }
  html.raw("</svg>\n");
}

void add_boots(Html& html, const std::vector<base::UnixMillis>& boots, const Frame& frame) {
  for (const base::UnixMillis boot : boots) {
    html.raw("<line class=\"boot\" x1=\"").number(100 * frame.share(boot)).raw("%\" x2=\"").number(100 * frame.share(boot));
    html.raw("%\" y1=\"").number(kTop).raw("\" y2=\"").number(kBottom).raw("\"/>");
    if (boots.size() > kMostNamedBoots) continue;
    html.raw("<text class=\"day\" x=\"").number(100 * frame.share(boot)).raw("%\" y=\"").number(kTop - 8);
    html.raw("\">reboot</text>\n");
  }
}

void add_steps(Html& html, const trend::Course& course, const std::vector<Step>& steps, const Frame& frame, bool bytes,
               base::UnixMillis now) {
  for (const Step& step : steps) {
    const auto bucket = static_cast<std::size_t>((step.time - course.floors_start) / kBucketMs);
    const double y = frame.y(static_cast<double>(course.floors[std::min(bucket, course.floors.size() - 1)]));
    html.raw("<svg class=\"step\" overflow=\"visible\" x=\"").number(100 * frame.share(step.time)).raw("%\" y=\"");
    html.number(y).raw(step.change > 0 ? "\"><path d=\"M-5 14 0 5 5 14Z\"/><title>"
                                       : "\"><path d=\"M-5-14 0-5 5-14Z\"/><title>");
    html.text((step.change > 0 ? "+" : "-") + amount_words(std::abs(step.change), bytes) + " on " + day_words(step.time, now));
    html.raw("</title></svg>\n");
  }
}

void add_key(Html& html, std::string_view kind, std::string_view words) {
  html.raw("<span class=\"key ").raw(kind).raw("\"><svg width=\"22\" height=\"12\" aria-hidden=\"true\">");
  if (kind == "step") {
    html.raw("<path d=\"M6 11 11 2 16 11Z\"/>");
  } else {
    html.raw(kind == "boot" ? "<path d=\"M11 0V12\"/>" : "<path d=\"M1 6H21\"/>");
  }
  html.raw("</svg>").text(words).raw("</span> ");
}

std::string chart_words(const Subject& subject, const Frame& frame, std::size_t boots, std::size_t steps,
                        base::UnixMillis now) {
  const bool bytes = trend::counts_bytes(subject.report.kind);
  const auto& floors = subject.course->floors;
  const auto seen = [](float floor) { return !std::isnan(floor); };
  const auto first = std::find_if(floors.begin(), floors.end(), seen);
  const auto last = std::find_if(floors.rbegin(), floors.rend(), seen);
  if (first == floors.end()) return "No history of " + subject_words(subject.report) + " yet.";
  std::string words = "Lowest " + std::string(bytes ? "size" : "number") + " of " + subject_words(subject.report) +
                      " in every 4 hours from " + day_words(frame.from, now) + " to " + day_words(frame.to, now) + ": from " +
                      amount_words(static_cast<double>(*first), bytes) + " to " +
                      amount_words(static_cast<double>(*last), bytes);
  if (subject.report.since)
    words += ", trend " +
             growth_words(subject.report.credible_slope_per_second * base::kSecondsPerDay *
                              (subject.report.kind == Kind::kSystemPtes ? -1 : 1),
                          bytes) +
             " since " + day_words(*subject.report.since, now);
  if (steps > 0) words += ", " + plural_words(steps, "step");
  if (boots > 0) words += ", " + plural_words(boots, "reboot");
  return words + ".";
}

/// `line`: what of the history's answer the pointer reads.
void open_chart(Html& html, const Subject& subject, const Frame& frame, std::string_view line, std::string_view words) {
  html.raw("<figure>\n<svg class=\"chart\" height=\"250\" role=\"img\" aria-label=\"").text(words);
  html.raw("\" data-src=\"api/v1/trends/");
  html.text(subject_path(subject.report.kind, subject.report.pool, subject.report.text));
  html.raw("\" data-line=\"").raw(line);
  html.raw("\" data-from=\"").raw(std::to_string(frame.from)).raw("\" data-to=\"").raw(std::to_string(frame.to));
  html.raw("\" data-low=\"").number(frame.low).raw("\" data-high=\"").number(frame.high).raw("\">\n");
}

}  // namespace

std::string subject_path(Kind kind, Pool pool, std::string_view text) {
  switch (kind) {
    case Kind::kSystemPtes:
    case Kind::kUnaccounted:
    case Kind::kAvailable:
    case Kind::kCommitLimit:
    case Kind::kCommit: return std::string(trend::kind_name(kind));
    case Kind::kHandles: return std::string(trend::kind_name(kind)) + "/" + percent_encoded(text);
    case Kind::kPool: return std::string(pool_name(pool));
    case Kind::kTag: break;
  }
  return std::string(pool_name(pool)) + "/" + percent_encoded(text);
}

std::string subject_words(const trend::SubjectReport& report) {
  switch (report.kind) {
    case Kind::kSystemPtes:
    case Kind::kUnaccounted:
    case Kind::kAvailable:
    case Kind::kCommitLimit:
    case Kind::kCommit: return resource_words(trend::kind_name(report.kind));
    case Kind::kHandles: return "handles of " + report.text;
    case Kind::kPool: return resource_words(pool_name(report.pool));
    case Kind::kTag: break;
  }
  return "tag " + report.text + " (" + std::string(pool_name(report.pool)) + ")";
}

void add_chart(Html& html, const Subject& subject, const std::vector<base::UnixMillis>& boots, base::UnixMillis now) {
  if (!subject.course) return;
  const trend::Course& course = *subject.course;
  const bool bytes = trend::counts_bytes(subject.report.kind);
  const std::vector<Piece> pieces = trend_pieces(subject, boots);
  const std::vector<Step> steps = find_steps(course, boots);
  const Line line = weeks_of(course);
  Frame frame = frame_of(line, pieces, kFewestBuckets);
  std::vector<base::UnixMillis> shown_boots;
  for (const base::UnixMillis boot : boots)
    if (boot > frame.from && boot < frame.to) shown_boots.push_back(boot);

  const std::string end = end_words(subject.report);
  std::string words = chart_words(subject, frame, shown_boots.size(), steps.size(), now);
  const std::optional<Outlook> outlook = outlook_of(subject, pieces, frame, now);
  if (outlook) {
    make_room_for(*outlook, frame);
    words.insert(words.size() - 1, "; " + end);
  }
  open_chart(html, subject, frame, "floors", words);
  add_amounts(html, frame, bytes);
  add_days(html, frame, now);
  add_lines(html, line, pieces, frame, outlook ? &*outlook : nullptr);
  if (outlook && outlook->is_reached) add_end(html, *outlook, frame, bytes);
  add_boots(html, shown_boots, frame);
  add_steps(html, course, steps, frame, bytes, now);
  html.raw("</svg>\n<figcaption>");
  add_key(html, "floor", "floor: lowest of every 4 hours");
  if (!pieces.empty()) add_key(html, "trend", "trend");
  if (outlook) add_key(html, "outlook", "at this pace: " + end);
  if (!steps.empty()) add_key(html, "step", "step that stayed");
  if (!shown_boots.empty()) add_key(html, "boot", "reboot");
  html.raw("</figcaption>\n</figure>\n");
}

void add_hours_chart(Html& html, const Subject& subject, base::UnixMillis now) {
  if (!subject.course) return;
  constexpr base::UnixMillis kFive = 5 * base::kMinuteMillis;
  constexpr base::UnixMillis kShort = 5 * base::kHourMillis;  // what the six hours show with something before it
  constexpr std::ptrdiff_t kFewest = 3;                       // floors that say something
  const trend::Course& course = *subject.course;
  // What has grown for longer than is shown is the other chart's.
  const std::optional<trend::Surge>& seen = subject.report.surge;
  const trend::Surge* surge = seen && seen->since >= course.recent_start ? &*seen : nullptr;
  const bool minutes = surge && now - surge->since < kShort;
  const Line line =
      minutes ? Line{course.fives, course.fives_start, kFive} : Line{course.recent, course.recent_start, base::kHourMillis};
  if (!surge && std::ranges::count_if(line.floors, [](float floor) { return !std::isnan(floor); }) < kFewest) return;
  const bool bytes = trend::counts_bytes(subject.report.kind), falls = subject.report.kind == Kind::kSystemPtes;
  const double last = subject.report.last_amount;
  std::vector<Piece> pace;
  std::string words = "Lowest " + std::string(bytes ? "size" : "number") + " of " + subject_words(subject.report) +
                      (minutes ? " in every 5 minutes of the last 6 hours" : " in every hour of the last 4 days") + ": now " +
                      amount_words(last, bytes);
  if (surge) {
    pace.push_back({surge->since, now, std::max(0.0, falls ? last + surge->growth : last - surge->growth), last});
    words += ", " + amount_words(surge->growth, bytes) + (falls ? " less than " : " more than ") +
             duration_words(static_cast<double>(now - surge->since) / 1000) + " ago";
  }
  const Frame frame = frame_of(line, pace, line.floors.size());
  open_chart(html, subject, frame, minutes ? "fives" : "recent", words + ".");
  add_amounts(html, frame, bytes);
  add_hours(html, frame);
  add_lines(html, line, pace, frame);
  html.raw("</svg>\n<figcaption>");
  add_key(html, "floor", minutes ? "floor: lowest of every 5 minutes" : "floor: lowest of every hour");
  if (surge) add_key(html, "trend", "the growth");
  html.raw("</figcaption>\n</figure>\n");
}

void add_sparkline(Html& html, const std::array<float, trend::kHistoryDays>& course) {
  constexpr double kDeep = 20;
  float low = std::numeric_limits<float>::infinity(), high = -low;
  std::size_t seen = 0;
  for (const float day : course) {
    if (std::isnan(day)) continue;
    low = std::min(low, day), high = std::max(high, day);
    ++seen;
  }
  if (seen < 2) {
    html.raw("<span class=\"none\">–</span>");
    return;
  }
  // Noise of a few per cent is to look flat.
  const double span = std::max({static_cast<double>(high - low), 0.05 * static_cast<double>(high), 1.0});
  html.raw("<svg class=\"spark\" viewBox=\"0 0 55 20\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path d=\"");
  bool drawing = false;
  for (std::size_t i = 0; i < course.size(); ++i) {
    if (std::isnan(course[i])) {
      drawing = false;
      continue;
    }
    html.raw(drawing ? " " : "M").number(static_cast<double>(i)).raw(" ");
    html.number(kDeep - 1 - (kDeep - 2) * static_cast<double>(course[i] - low) / span);
    drawing = true;
  }
  html.raw("\"/></svg>");
}

}  // namespace kmem::page
