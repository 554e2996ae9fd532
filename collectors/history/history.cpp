#include "collectors/history/history.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "collectors/base/ascii_case.h"
#include "collectors/base/clock.h"
#include "collectors/base/time_words.h"
#include "collectors/history/hosts_by_name.h"
#include "collectors/history/snapshot_builder.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/sorted_reader.h"
#include "collectors/history/two_hosts.h"
#include "collectors/history/whole_look.h"

namespace kmem::history {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::UnixMillis;

constexpr std::size_t kMostOpen = 32;  // of files that wait for their time; the others are opened again
constexpr std::size_t kLooksAhead = 64, kLooksOfAHost = 3;
constexpr std::size_t kAheadBytes = std::size_t{1} << 20;  // kept of them a file; beyond it is opened anew
constexpr UnixMillis kSameLookMs = base::kMinuteMillis, kLongestLookMs = 15 * base::kMinuteMillis;
constexpr std::size_t kMostOwed = 4096;  // looks a file that lack a row

/// Where its rows stand.
Gaps gaps_of(const Snapshot& snapshot) {
  Gaps gaps;
  for (const TagUsage& tag : snapshot.tags) gaps.add(tag.pool);
  gaps.processes = !snapshot.processes.empty();
  return gaps;
}

/// Of the only tag, which scripts have in both pools; 0: there are more.
std::uint64_t only_tag(const Snapshot& snapshot) {
  const auto& tags = snapshot.tags;
  if (tags.empty() || tags.size() > 2 || (tags.size() == 2 && tags[0].tag != tags[1].tag)) return 0;
  return tag_key(Pool::kPaged, tags[0].tag);
}

std::string lower_case(std::string text) {
  for (char& c : text) c = base::ascii_lower(c);
  return text;
}

struct Track {
  explicit Track(std::string file) : path(std::move(file)) {}

  std::string path;
  std::string named_host;  // by the file's name, where nothing in it tells one
  std::unique_ptr<SnapshotReader> reader;
  Snapshot head;     // the next one
  std::string host;  // of it
  UnixMillis first_time = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t bytes_read = 0;
  bool told_of_merge = false;
  std::uint64_t line = 0;  // of the head
  struct Ahead {
    Snapshot head;
    std::uint64_t line = 0;
    std::string host;
  };
  std::deque<Ahead> ahead;                 // read behind the head
  std::optional<base::Error> failed;       // what came when it looked ahead
  std::map<std::string, UnixMillis> last;  // by host: of what was taken
  bool is_newest_first = false;
  bool is_to_reopen = false;  // there was no room for what was read ahead
  bool is_slip_first = false;
  const char* fault = nullptr;  // found while it looked ahead
  // Rows that were passed over for their time: the next look of their host may lack them, and one of that time.
  std::map<std::string, Gaps> owed;
  std::map<std::pair<std::string, UnixMillis>, Gaps> owed_at;
  Gaps owed_always;  // there was no room for more
  int fallen = 0;    // looks that lie before those above them, one behind another
  UnixMillis fell_to = 0;
  std::uint64_t last_key = 0;  // of the look above, if it has one tag

  /// False: there is none.
  Result<bool> read(Ahead& into) const {
    auto more = reader->next(into.head);
    if (more && *more) {
      into.line = reader->line();
      into.host = reader->host().empty() ? named_host : reader->host();
    }
    return more;
  }
  void take(Ahead&& next) {
    head = std::move(next.head);
    line = next.line;
    host = std::move(next.host);
  }
};

class History final : public HistorySource {
 public:
  History(base::FileSystem& files, HistoryOptions options)
      : files_(files), options_(std::move(options)), look_(options_.learned, notes_) {}

  Result<void> open(const std::vector<std::string>& paths) {
    std::string reasons;
    if (options_.learned.named_hosts.empty()) by_name_.emplace(paths);
    beside_.emplace(files_, paths, [this](const std::string& path) { return look_for_dates(files_, path); });
    for (const std::string& path : paths) {
      auto opened = probe(path, reasons);
      if (!opened) return opened;
    }
    if (waiting_.empty())
      return Error{ErrorCode::kMalformed, "no usable history: " + (reasons.empty() ? "no file is named" : reasons)};
    std::stable_sort(waiting_.begin(), waiting_.end(),
                     [](const auto& a, const auto& b) { return a->first_time < b->first_time; });
    tell_named_hosts();
    name_the_nameless();
    if (advance()) return {};
    if (!options_.host.empty()) return Error{ErrorCode::kMalformed, "no usable history: " + hosts_there()};
    return Error{ErrorCode::kIo, "no usable history: the files changed while they were read"};
  }

  Result<void> read(Snapshot& out) override {
    out = current_;
    return {};
  }

  bool advance() override {
    while (ready_.empty()) {
      if (at_ < batch_.size()) {
        hold(std::move(batch_[at_++]));
      } else if (!next_batch()) {
        while (!held_.empty()) let_go();
        look_.drop_far();
        if (ready_.empty()) {
          tell_hosts_by_name();
          learn_of_two();
          tell_contradictions();
          return false;
        }
      }
    }
    Gathered& next = ready_.front();
    current_ = next.merged ? next.merged->take() : std::move(next.snapshot);
    look_.settle(current_, next);
    host_ = std::move(next.host);
    ready_.pop_front();
    return true;
  }

  [[nodiscard]] const std::string& host() const override { return host_; }
  [[nodiscard]] const Learned& learned() const override { return look_.learned(); }
  [[nodiscard]] const std::deque<FileReading>& readings() const override { return notes_.readings(); }
  [[nodiscard]] const std::vector<Skipped>& skipped() const override { return notes_.skipped(); }
  [[nodiscard]] std::uint64_t skipped_count() const override { return notes_.skipped_count(); }
  [[nodiscard]] const std::vector<std::string>& warnings() const override { return notes_.warnings(); }

  [[nodiscard]] Progress progress() const override {
    Progress sum{bytes_done_, bytes_total_};
    for (const auto& track : active_) sum.bytes_read += track->bytes_read;
    for (std::size_t i = next_; i < waiting_.size(); ++i) sum.bytes_read += waiting_[i]->bytes_read;
    sum.bytes_total = std::max(sum.bytes_total, sum.bytes_read);
    return sum;
  }

 private:
  struct Held {
    Gathered gathered;
    UnixMillis last_time = 0;
  };

  // Rows that a script stamps one by one, and tables of one moment in several files, are one look: the other tags of their
  // pool are not gone. A tag that comes again begins the next look.
  void hold(Gathered&& next) {
    const UnixMillis time = next.seen().time;
    // Its rows may be the ones that the look before it lacks.
    if (const auto before = by_host_.find(next.host);
        before != by_host_.end() && look_.is_far_ahead(next, &before->second->gathered))
      before->second->gathered.lack(gaps_of(next.seen()));
    while (!held_.empty() && std::abs(time - held_.front().last_time) > kSameLookMs) let_go();
    const auto known = by_host_.find(next.host);
    if (known != by_host_.end() && is_of_one_look(*known->second, next)) {
      Held& held = *known->second;
      (void)held.gathered.merge(next.merged ? next.merged->take() : std::move(next.snapshot));
      held.last_time = time;
      held.gathered.ends_file |= next.ends_file;
      if (!std::exchange(told_of_looks_, true))
        notes_.warn(next.path, "tags whose times are less than a minute apart are taken as one look");
      return;
    }
    while (by_host_.contains(next.host)) let_go();
    const std::string host = next.host;
    held_.push_back({std::move(next), time});
    by_host_[host] = std::prev(held_.end());
  }

  // The oldest.
  void let_go() {
    Gathered oldest = std::move(held_.front().gathered);
    by_host_.erase(oldest.host);
    held_.pop_front();
    look_.let_go(std::move(oldest), ready_);
  }

  static bool is_of_one_look(const Held& held, const Gathered& next) {
    const Snapshot &mine = held.gathered.seen(), &theirs = next.seen();
    if (theirs.time - held.last_time > kSameLookMs || theirs.time - mine.time > kLongestLookMs || mine.tags.empty() ||
        theirs.tags.empty() || mine.tags.size() + theirs.tags.size() > kMaxRows)
      return false;
    if (mine.boot_time && theirs.boot_time && std::abs(*mine.boot_time - *theirs.boot_time) > kSameLookMs) return false;
    bool share_a_pool = false;
    for (const TagUsage& tag : theirs.tags)
      for (const TagUsage& other : mine.tags) {
        if (tag.key == other.key) return false;
        share_a_pool |= tag.pool == other.pool;
      }
    return share_a_pool;
  }

  // The snapshots of the next time; perhaps none that is wanted.
  bool next_batch() {
    batch_.clear();
    at_ = 0;
    activate();
    if (active_.empty()) return false;
    const UnixMillis time = earliest();
    for (std::size_t i = 0; i < active_.size();) {
      Track& track = *active_[i];
      bool more = true;
      while (more && track.head.time == time) {
        if (is_strangers(track)) {
          more = refill(track);
          continue;
        }
        if (by_name_ && track.host.empty()) by_name_->see(track.path, track.head);
        two_hosts_.see(track.path, track.host, track.line, track.head);
        const std::size_t into = is_wanted(track) && is_in_time(track) ? gather(track) : batch_.size();
        more = refill(track);
        if (!more && into < batch_.size()) batch_[into].ends_file = true;
      }
      if (more) ++i;
      else active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return true;
  }

  bool is_strangers(const Track& track) {
    if (!options_.learned.strangers.contains({track.path, track.host, track.head.time})) return false;
    notes_.skip(track.path, track.line,
                "another host's reading: its counters lie far from those before and behind it, which go on");
    return true;
  }

  // Where hosts follow one another in a file, another file may have gone further.
  bool is_in_time(Track& track) {
    const std::string of = options_.all_hosts ? track.host : std::string();
    if (given_.size() >= kMostHosts && !given_.contains(of)) {
      notes_.skip(track.path, track.line, "too many hosts");
      return false;
    }
    const auto [given, is_new] = given_.try_emplace(of, track.head.time);
    const auto is_its = [&](const Gathered& one) { return !options_.all_hosts || one.host == track.host; };
    const bool is_of_this_time = is_new || std::any_of(batch_.begin(), batch_.end(), is_its);
    if (track.head.time < given->second || (track.head.time == given->second && !is_of_this_time)) {
      pass_over(track, "it comes too late: later readings of its host were read before it; sort the file by time");
      return false;
    }
    given->second = track.head.time;
    return true;
  }

  // Where in the batch.
  std::size_t gather(Track& track) {
    // Where one host is asked for, what tells none is its, too.
    const auto same = [&](const Gathered& one) { return !options_.all_hosts || one.host == track.host; };
    const auto found = std::find_if(batch_.begin(), batch_.end(), same);
    if (found == batch_.end()) {
      batch_.push_back({track.host, track.path, track.line, std::move(track.head), nullptr});
      return batch_.size() - 1;
    }
    if (found->host.empty()) found->host = track.host;
    const UnixMillis time = track.head.time;
    Contradictions differ;
    const bool is_new = found->merge(std::move(track.head), &differ);
    if (differ.count > 0) contradict(track, time, *found, differ);
    else if (!is_new && !contradicting_.contains(track.path) && !std::exchange(track.told_of_merge, true))
      notes_.warn(track.path, "it has values of a time that an earlier one also has; the earlier one's are used");
    found->is_of_two = true;
    return static_cast<std::size_t>(found - batch_.begin());
  }

  void tell_hosts_by_name() {
    if (!by_name_) return;
    std::map<std::string, std::string> hosts = by_name_->hosts();
    if (const auto two = by_name_->doubtful(); two && hosts.empty() && !std::exchange(told_of_doubt_, true))
      notes_.warn(two->first,
                  "it and " + two->second +
                      " are taken as one host's: a reading of each does not show more; if their names tell two hosts, "
                      "give each alone");
    look_.learn_hosts(std::move(hosts));
  }

  void contradict(const Track& track, UnixMillis time, const Gathered& earlier, const Contradictions& differ) {
    Contradicting& all = contradicting_[track.path];
    if (all.values == 0) {
      // A capture has no lines.
      const std::string its_line = earlier.line > 0 ? "line " + std::to_string(earlier.line) : "";
      const std::string where = earlier.is_of_two            ? "the files before it"
                                : earlier.path != track.path ? earlier.path + (its_line.empty() ? "" : ", " + its_line)
                                : its_line.empty()           ? "an earlier one of it"
                                                             : its_line;
      all.first = (track.line > 0 ? "line " + std::to_string(track.line) + ", " : "") + base::rfc3339(time) +
                  (track.host.empty() ? "" : ", host " + in_quotes(track.host)) + ": " + differ.subject + " is " +
                  differ.other + ", but " + differ.used + " in " + where;
    }
    all.values += differ.count;
  }

  // A file whose lines tell hosts is looked at again first.
  void learn_of_two() {
    TwoHosts::Found found = two_hosts_.found();
    const auto is_looked_at_again = [&](const std::string& path) {
      return look_.learned().with_host_lines.contains(path) != options_.learned.with_host_lines.contains(path);
    };
    std::erase_if(found.faults, [&](const auto& one) { return is_looked_at_again(one.first); });
    std::erase_if(found.strangers, [&](const auto& one) { return is_looked_at_again(std::get<0>(one)); });
    look_.learn_strangers(std::move(found.strangers));
    for (const std::string& path : of_one_host_)
      if (const auto fault = found.faults.extract(path); !fault.empty())
        notes_.warn(path, fault.mapped().substr(0, fault.mapped().find(';')) +
                              "; all are taken as one host's, which a line above them names");
    for (const auto& [path, doubt] : found.doubts) notes_.warn(path, doubt);
    look_.learn_of_two(std::move(found.faults));
  }

  void tell_contradictions() {
    for (const auto& [path, all] : contradicting_)
      notes_.warn(path, "it contradicts what was read before of the same time, which is used: " + all.first +
                            (all.values > 1 ? "; " + std::to_string(all.values - 1) + " more values do so" : ""));
    contradicting_.clear();
  }

  // Gives the head's host as it was written first.
  bool is_wanted(Track& track) {
    if (track.host.empty()) track.host = nameless_;
    if (last_host_ == track.host && last_wanted_) return true;
    const std::string key = lower_case(track.host);
    const auto [known, is_new] = hosts_.try_emplace(key, track.host);
    track.host = known->second;
    bool wanted = options_.all_hosts || track.host.empty();
    if (!options_.host.empty()) {
      wanted = track.host.empty() || key == lower_case(options_.host);
    } else if (!options_.all_hosts && !wanted) {
      if (only_.empty()) only_ = track.host;
      wanted = track.host == only_;
      if (!wanted && is_new && hosts_.size() <= kMostHostsNamed)
        notes_.warn(track.path, "several hosts: only " + in_quotes(only_) + " is used, not " + in_quotes(track.host));
    }
    if (is_new && hosts_.size() > kMostHostsNamed) hosts_.erase(known);
    last_host_ = track.host;
    last_wanted_ = wanted;
    return wanted;
  }

  std::string hosts_there() const {
    constexpr std::size_t kMostShown = 10;
    std::string names;
    std::size_t shown = 0;
    for (const auto& [key, name] : hosts_)
      if (!name.empty() && shown++ < kMostShown) names += (names.empty() ? "" : ", ") + in_quotes(name);
    return "host " + in_quotes(options_.host) + " is not in it" + (names.empty() ? "" : "; there are " + names);
  }

  // One warning, with a file of each of the first two.
  void tell_named_hosts() {
    const Track* first = nullptr;
    for (const auto& track : waiting_) {
      if (track->named_host.empty() || track->named_host != track->host) continue;
      if (first == nullptr) first = track.get();
      if (base::equal_ignoring_case(first->host, track->host)) continue;
      notes_.warn(first->path,
                  "it is taken as one of host " + in_quotes(first->host) + ", and " + track->path + " as one of " +
                      in_quotes(track->host) +
                      ", by their names: their readings are of the same times, and cannot be one host's; where they "
                      "are, give one of them alone");
      return;
    }
  }

  // Files that name no host are the one's that all others are of.
  void name_the_nameless() {
    std::string name;
    for (const auto& track : waiting_) {
      if (track->host.empty()) continue;
      if (!name.empty() && !base::equal_ignoring_case(name, track->host)) return;
      name = track->host;
    }
    nameless_ = options_.host.empty() ? name : options_.host;
  }

  /// The message names the file, as does the note.
  void skip_file(const std::string& path, const std::string& why, const std::string& before = {}) {
    const std::string prefix = path + ": ";
    notes_.skip(path, 0, before + (why.starts_with(prefix) ? why.substr(prefix.size()) : why));
  }

  /// Captures name no host: those of another system are hardly the same one's. Updates of a kernel are.
  void warn_of_other_system(const Track& track) {
    if (!track.head.os || !track.host.empty()) return;
    for (const auto& other : waiting_) {
      if (!other->head.os || !other->host.empty() || !is_other_system(other->head, track.head)) continue;
      notes_.warn(track.path, "is of " + system_words(track.head) + ", " + other->path + " of " + system_words(other->head) +
                                  "; neither names its host, so they are taken as one host's: analyze them one by one if not");
      return;
    }
  }

  // Reads up to the first snapshot. A file without one is noted and left out.
  Result<void> probe(const std::string& path, std::string& reasons) {
    auto track = std::make_unique<Track>(path);
    const auto& named = options_.learned.named_hosts;
    if (const auto host = named.find(path); host != named.end()) track->named_host = host->second;
    const bool is_unsorted = options_.learned.unsorted.contains(path);
    track->is_newest_first = is_unsorted;
    if (const auto info = files_.info(path)) track->size_bytes = info->size_bytes;
    bytes_total_ += track->size_bytes;
    const Notes::Mark mark = notes_.mark();
    auto opened = open_track(*track);
    std::string why;
    if (const auto two = options_.learned.of_two.find(path); two != options_.learned.of_two.end()) {
      why = path + ": " + two->second;
    } else if (!opened) {
      if (opened.error().code != ErrorCode::kMalformed) return opened.error();
      why = opened.error().message;
    } else {
      Track::Ahead first;
      auto more = track->read(first);
      if (more && *more) {
        track->take(std::move(first));
        if (!is_unsorted) look_ahead(*track);
        if (const char* const fault = track->fault) more = Error{ErrorCode::kMalformed, fault};
        if (more && !is_unsorted && (track->is_newest_first || track->is_to_reopen)) {
          notes_.back_to(mark);
          track->ahead.clear();
          track->failed.reset();
          track->bytes_read = 0;
          if (opened = open_track(*track); !opened) return opened.error();
          first = {};
          more = track->read(first);
          if (more && *more) track->take(std::move(first));
          if (more && *more && track->is_slip_first) more = leave_slip(*track);
        }
      }
      if (!more && more.error().code != ErrorCode::kMalformed) return more.error();
      if (more && *more) {
        track->first_time = track->last[track->host] = track->head.time;
        took(*track);
        if (waiting_.size() >= kMostOpen) {
          track->reader.reset();
          track->head = {};
          track->ahead.clear();
          track->failed.reset();
          track->bytes_read = 0;
          notes_.back_to(mark);
        }
        // Said here alone, also of a file that is opened again.
        if (options_.learned.with_host_lines.contains(path))
          notes_.warn(path, "the lines above its dates are taken as the names of several hosts, as " + in_quotes(track->host));
        if (is_unsorted) notes_.warn(path, "its readings are not in order of time, which they are read in");
        else if (track->is_newest_first) notes_.warn(path, "its newest readings stand first; it is read oldest first");
        warn_of_other_system(*track);
        waiting_.push_back(std::move(track));
        return {};
      }
      why = more ? nothing_in(path, mark) : more.error().message;
    }
    skip_file(path, why);
    bytes_done_ += std::max(track->bytes_read, track->size_bytes);
    if (reasons.empty()) reasons = why;
    return {};
  }

  std::string nothing_in(const std::string& path, const Notes::Mark& mark) {
    if (notes_.skipped().size() > mark.listed) {
      const Skipped& first = notes_.skipped()[mark.listed];
      return path + ":" + std::to_string(first.line) + ": " + first.reason + "; nothing usable is in this file";
    }
    if (const std::string& format = notes_.of(path).format; format.find("CSV") != std::string::npos)
      return path + ": the heading of " + format + ", and no rows below it";
    return path +
           ": nothing usable; expected a capture, CSV with the columns timestamp, pool, tag and bytes, "
           "poolmon or memsnap text, perfmon CSV, /proc files or slabtop below dates, sar -r ALL, or an "
           "answer of Prometheus";
  }

  // Those whose time has come begin to take part.
  void activate() {
    while (next_ < waiting_.size() && (active_.empty() || waiting_[next_]->first_time <= earliest())) {
      std::unique_ptr<Track> track = std::move(waiting_[next_++]);
      if (!track->reader) {
        if (const auto opened = open_track(*track); !opened) {
          skip_file(track->path, opened.error().message, "can no longer be read: ");
          bytes_done_ += track->size_bytes;
          continue;
        }
        if (!refill(*track)) continue;
      }
      active_.push_back(std::move(track));
    }
  }

  Result<void> open_track(Track& track) {
    if (track.is_newest_first) {
      track.reader = std::make_unique<SortedReader>([this, &track](bool is_first) {
        return open_reader(files_, track.path, options_, *beside_, is_first ? notes_ : said_,
                           is_first ? track.bytes_read : read_again_, true);
      });
      return {};
    }
    auto reader = open_reader(files_, track.path, options_, *beside_, notes_, track.bytes_read);
    if (!reader) return reader.error();
    track.reader = std::move(*reader);
    return {};
  }

  // Whether a file's newest readings stand first is decided before one of them is used: by the first three of a host, or
  // by all if no host has as many. A first one that lies far ahead of the others is a slip.
  void look_ahead(Track& track) {
    std::map<std::string, std::vector<UnixMillis>> times;
    times[track.host].push_back(track.head.time);
    bool is_decided = track.reader->is_newest_first();
    track.is_newest_first = is_decided;
    std::size_t looks = 0, bytes = 0;
    bool has_ended = false;
    while (!is_decided && looks < kLooksAhead) {
      Track::Ahead next;
      const auto more = track.read(next);
      if (!more) track.failed = more.error();
      has_ended = !more || !*more;
      if (has_ended) track.fault = track.reader->fault_of_order();
      if (has_ended) break;
      ++looks;
      std::vector<UnixMillis>& of_host = times[next.host];
      of_host.push_back(next.head.time);
      is_decided = of_host.size() == kLooksOfAHost;
      if (is_decided) track.is_newest_first = of_host[1] < of_host[0] && of_host[2] < of_host[1];
      if (track.reader->is_newest_first()) is_decided = track.is_newest_first = true;
      // What has no size is a pipe, which can be read once only.
      bytes += bytes_of(next.head);
      track.is_to_reopen |= bytes > kAheadBytes && track.size_bytes > 0;
      if (track.is_to_reopen) track.ahead.clear();
      else track.ahead.push_back(std::move(next));
    }
    if (!is_decided && has_ended) {
      const auto falls = [](const auto& one) { return one.second.size() > 1 && one.second[1] < one.second[0]; };
      track.is_newest_first =
          std::any_of(times.begin(), times.end(), falls) &&
          std::all_of(times.begin(), times.end(), [&](const auto& one) { return one.second.size() == 1 || falls(one); });
    }
    if (track.is_newest_first) {
      track.ahead.clear();
      track.failed.reset();
      return;
    }
    const std::vector<UnixMillis>& own = times[track.host];
    if (own.size() < kLooksOfAHost || own[0] - own[1] <= base::kDayMillis || own[0] - own[2] <= base::kDayMillis ||
        own[2] < own[1])
      return;
    track.is_slip_first = true;
    if (!track.is_to_reopen) (void)leave_slip(track);
  }

  Result<bool> leave_slip(Track& track) {
    pass_over(track, "its time lies far ahead of those below it");
    return read_on(track);
  }

  // False: that file has ended.
  bool refill(Track& track) {
    for (;;) {
      const auto more = next_of(track);
      if (!more) skip_file(track.path, more.error().message);
      if (!more || !*more) {
        if (track.reader->is_unsorted()) learn_unsorted(track);
        if (track.reader->has_one_host_line()) of_one_host_.insert(track.path);
        if (track.reader->has_host_lines() && track.size_bytes > 0) look_.learn_host_lines(track.path);
        if (const std::string proof = track.reader->year_day_month(); !proof.empty() && track.size_bytes > 0)
          look_.learn_year_day_month(track.path, proof);
        bytes_done_ += std::max(track.bytes_read, track.size_bytes);
        return false;
      }
      if (track.last.size() >= kMostHosts && !track.last.contains(track.host)) {
        notes_.skip(track.path, track.line, "too many hosts");
        continue;
      }
      const auto [known, is_new] = track.last.try_emplace(track.host, track.head.time);
      if (track.head.time >= known->second) {
        track.fallen = 0;
        known->second = track.head.time;
        took(track);
        return true;
      }
      note_fall(track, known->second);
      pass_over(track, "its time lies before the snapshot's above it; a host's times must rise");
    }
  }

  // A time far ahead of the one before that the next one takes back is a slip, which is not to put all behind it in the past;
  // months ahead also where a few stand one behind another.
  Result<bool> next_of(Track& track) {
    auto more = read_on(track);
    if (!more || !*more) return more;
    constexpr std::size_t kMostSlips = 8;
    constexpr UnixMillis kMonthsMs = 300 * base::kDayMillis;
    for (;;) {
      const auto last = track.last.find(track.host);
      if (last == track.last.end() || track.head.time - last->second <= base::kDayMillis) return true;
      const std::size_t most = track.head.time - last->second > kMonthsMs ? kMostSlips : 1;
      std::size_t slips = 0;  // that are taken back
      for (std::size_t at = 0; at < most && slips == 0; ++at) {
        if (at >= track.ahead.size()) {
          Track::Ahead next;
          more = track.failed ? Result<bool>(false) : track.read(next);
          // What is in hand is good, whatever comes behind it.
          if (!more) track.failed = more.error();
          if (!more || !*more) return true;
          track.ahead.push_back(std::move(next));
        }
        const Track::Ahead& next = track.ahead[at];
        if (next.host != track.host || next.head.time < last->second) return true;
        if (next.head.time < track.head.time && track.head.time - next.head.time > base::kDayMillis) slips = at + 1;
        else if (most == 1 && next.head.time < track.head.time) slips = 1;
        else if (most == 1) return true;
      }
      if (slips == 0) return true;
      pass_over(track, "its time lies far ahead of those above and below it");
      track.take(std::move(track.ahead.front()));
      track.ahead.pop_front();
    }
  }

  static Result<bool> read_on(Track& track) {
    Track::Ahead next;
    if (!track.ahead.empty()) {
      track.take(std::move(track.ahead.front()));
      track.ahead.pop_front();
      return true;
    }
    if (track.failed) return *std::exchange(track.failed, {});
    auto more = track.read(next);
    if (more && *more) track.take(std::move(next));
    return more;
  }

  // A few slips are passed over; readings that lie before those above them and rise stand in another order: of tags, or an
  // older log behind a newer one. At the end of summer time an hour comes again.
  void note_fall(Track& track, UnixMillis last) {
    constexpr UnixMillis kLongestRepeatMs = 2 * base::kHourMillis;
    constexpr int kRun = 3, kRunOfTags = 2;
    const std::uint64_t only = only_tag(track.head);
    const bool is_of_one_tag = only != 0 && only != track.last_key;
    const UnixMillis time = track.head.time;
    if (last - time > kYearMs || (last - time <= kLongestRepeatMs && !is_of_one_tag)) return;
    track.fallen = track.fallen == 0 || time > track.fell_to ? track.fallen + 1 : 1;
    track.fell_to = time;
    if (track.fallen >= (is_of_one_tag ? kRunOfTags : kRun)) learn_unsorted(track);
  }

  // What has no size is a pipe, which can be read once only.
  void learn_unsorted(const Track& track) {
    if (!track.is_newest_first && track.size_bytes > 0) look_.learn_unsorted(track.path);
  }

  // The head, for its time. Its rows are of the look above it, of the one below it, or of that time.
  void pass_over(Track& track, const std::string& why) {
    notes_.skip(track.path, track.line, why);
    const Gaps gaps = gaps_of(track.head);
    if (gaps.pools == 0 && !gaps.processes) return;
    add_gaps(track.owed[track.host], gaps);
    if (track.owed_at.size() < kMostOwed) add_gaps(track.owed_at[{track.host, track.head.time}], gaps);
    else add_gaps(track.owed_always, gaps);
    const std::string host = lower_case(track.host.empty() ? nameless_ : track.host);
    const auto is_its = [&](const std::string& name) { return !options_.all_hosts || lower_case(name) == host; };
    bool any = false;
    for (Gathered& one : batch_)
      if (is_its(one.host)) one.lack(gaps), any = true;
    for (auto one = held_.begin(); !any && one != held_.end(); ++one)
      if (is_its(one->gathered.host)) one->gathered.lack(gaps);
  }

  void settle_owed(Track& track) {
    if (track.owed.empty() && track.owed_at.empty()) return;
    Gaps& gaps = track.head.gaps;
    add_gaps(gaps, track.owed_always);
    if (const auto found = track.owed.find(track.host); found != track.owed.end()) {
      add_gaps(gaps, found->second);
      track.owed.erase(found);
    }
    if (const auto found = track.owed_at.find({track.host, track.head.time}); found != track.owed_at.end()) {
      add_gaps(gaps, found->second);
      learn_unsorted(track);  // it was no slip
    }
  }

  void took(Track& track) {
    settle_owed(track);
    track.last_key = only_tag(track.head);
    FileReading& reading = notes_.of(track.path);
    if (reading.snapshots++ == 0) reading.first = track.head.time;
    reading.last = track.head.time;
    reading.rows += track.head.tags.size() + track.head.processes.size() + track.head.pools.size();
  }

  [[nodiscard]] UnixMillis earliest() const {
    return (*std::min_element(active_.begin(), active_.end(),
                              [](const auto& a, const auto& b) { return a->head.time < b->head.time; }))
        ->head.time;
  }

  base::FileSystem& files_;
  HistoryOptions options_;
  Notes notes_;
  Notes said_;  // again
  WholeLook look_;
  std::uint64_t read_again_ = 0;
  std::optional<BesideDates> beside_;
  std::optional<HostsByName> by_name_;
  TwoHosts two_hosts_;
  std::set<std::string> of_one_host_;            // files in which one line above a date tells a host
  std::vector<std::unique_ptr<Track>> waiting_;  // by first_time
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Track>> active_;  // in the order they began
  std::vector<Gathered> batch_;
  std::size_t at_ = 0;
  std::list<Held> held_;  // by time, one of a host: more of the same look may come
  std::map<std::string, std::list<Held>::iterator> by_host_;
  std::deque<Gathered> ready_;
  bool told_of_looks_ = false;
  bool told_of_doubt_ = false;
  struct Contradicting {
    std::string first;
    std::uint64_t values = 0;
  };
  std::map<std::string, Contradicting> contradicting_;  // by path
  std::map<std::string, UnixMillis> given_;             // by host
  Snapshot current_;
  std::string host_;
  std::map<std::string, std::string> hosts_;  // by their names in lower case
  std::string nameless_, only_, last_host_;
  bool last_wanted_ = false;
  std::uint64_t bytes_total_ = 0;
  std::uint64_t bytes_done_ = 0;
};

}  // namespace

const Learned& HistorySource::learned() const {
  static const Learned none;
  return none;
}

const std::string& SnapshotReader::host() const {
  static const std::string none;
  return none;
}

Result<std::unique_ptr<HistorySource>> open_history(base::FileSystem& files, const std::vector<std::string>& paths,
                                                    const HistoryOptions& options) {
  auto history = std::make_unique<History>(files, options);
  if (auto opened = history->open(paths); !opened) return opened.error();
  return std::unique_ptr<HistorySource>(std::move(history));
}

}  // namespace kmem::history
