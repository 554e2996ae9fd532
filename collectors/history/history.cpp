#include "collectors/history/history.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "collectors/history/snapshot_builder.h"
#include "collectors/history/snapshot_reader.h"

namespace kmem::history {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::UnixMillis;

constexpr std::size_t kMostOpen = 32;  // of files that wait for their time; the others are opened again

struct Track {
  explicit Track(std::string file) : path(std::move(file)) {}

  std::string path;
  std::unique_ptr<SnapshotReader> reader;
  Snapshot head;  // the next one
  UnixMillis first_time = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t bytes_read = 0;
  bool told_of_merge = false;
};

class History final : public HistorySource {
 public:
  History(base::FileSystem& files, const HistoryOptions& options) : files_(files), options_(options) {}

  Result<void> open(const std::vector<std::string>& paths) {
    std::string reasons;
    for (const std::string& path : paths) {
      auto opened = probe(path, reasons);
      if (!opened) return opened;
    }
    if (waiting_.empty())
      return Error{ErrorCode::kMalformed, "no usable history: " + (reasons.empty() ? "no file is named" : reasons)};
    std::stable_sort(waiting_.begin(), waiting_.end(),
                     [](const auto& a, const auto& b) { return a->first_time < b->first_time; });
    if (!advance()) return Error{ErrorCode::kIo, "no usable history: the files changed while they were read"};
    return {};
  }

  Result<void> read(Snapshot& out) override {
    out = current_;
    return {};
  }

  bool advance() override {
    activate();
    if (active_.empty()) return false;
    const UnixMillis time = earliest();
    bool taken = false;
    bool merging = false;
    for (std::size_t i = 0; i < active_.size();) {
      Track& track = *active_[i];
      bool more = true;
      while (more && track.head.time == time) {
        if (!taken) {
          current_ = std::move(track.head);
          taken = true;
        } else {
          if (!merging) (void)builder_.merge(std::move(current_));
          merging = true;
          if (!builder_.merge(std::move(track.head)) && !std::exchange(track.told_of_merge, true))
            notes_.warn(track.path, "it has values of a time that an earlier one also has; the earlier one's are used");
        }
        more = refill(track);
      }
      if (more) ++i;
      else active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (merging) current_ = builder_.take();
    return true;
  }

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
  // Reads up to the first snapshot. A file without one is noted and left out.
  Result<void> probe(const std::string& path, std::string& reasons) {
    auto track = std::make_unique<Track>(path);
    if (const auto info = files_.info(path)) track->size_bytes = info->size_bytes;
    bytes_total_ += track->size_bytes;
    const Notes::Mark mark = notes_.mark();
    auto reader = open_reader(files_, path, options_, notes_, track->bytes_read);
    std::string why;
    if (!reader) {
      if (reader.error().code != ErrorCode::kMalformed) return reader.error();
      why = reader.error().message;
    } else {
      track->reader = std::move(*reader);
      const auto more = track->reader->next(track->head);
      if (!more && more.error().code != ErrorCode::kMalformed) return more.error();
      if (more && *more) {
        track->first_time = track->head.time;
        if (waiting_.size() >= kMostOpen) {
          track->reader.reset();
          track->head = {};
          track->bytes_read = 0;
          notes_.back_to(mark);
        }
        waiting_.push_back(std::move(track));
        return {};
      }
      why = more ? nothing_in(path, mark) : more.error().message;
    }
    // The message names the file, as does the note.
    const std::string prefix = path + ": ";
    notes_.skip(path, 0, why.starts_with(prefix) ? why.substr(prefix.size()) : why);
    bytes_done_ += std::max(track->bytes_read, track->size_bytes);
    if (reasons.empty()) reasons = why;
    return {};
  }

  std::string nothing_in(const std::string& path, const Notes::Mark& mark) const {
    if (notes_.skipped().size() > mark.listed) {
      const Skipped& first = notes_.skipped()[mark.listed];
      return path + ":" + std::to_string(first.line) + ": " + first.reason + "; nothing usable is in this file";
    }
    return path + ": nothing usable; expected a capture, CSV with the columns timestamp, pool, tag and bytes, "
                  "poolmon or memsnap text, or perfmon CSV";
  }

  // Those whose time has come begin to take part.
  void activate() {
    while (next_ < waiting_.size() && (active_.empty() || waiting_[next_]->first_time <= earliest())) {
      std::unique_ptr<Track> track = std::move(waiting_[next_++]);
      if (!track->reader) {
        auto reader = open_reader(files_, track->path, options_, notes_, track->bytes_read);
        if (!reader) {
          notes_.skip(track->path, 0, "can no longer be read: " + reader.error().message);
          bytes_done_ += track->size_bytes;
          continue;
        }
        track->reader = std::move(*reader);
        track->head.time = track->first_time;
        if (!refill(*track)) continue;
      }
      active_.push_back(std::move(track));
    }
  }

  // False: that file has ended.
  bool refill(Track& track) {
    const UnixMillis last = track.head.time;
    for (;;) {
      const auto more = track.reader->next(track.head);
      if (!more) notes_.skip(track.path, 0, more.error().message);
      if (!more || !*more) {
        bytes_done_ += std::max(track.bytes_read, track.size_bytes);
        return false;
      }
      if (track.head.time >= last) return true;
      notes_.skip(track.path, track.reader->line(), "its time lies before the snapshot's above it");
    }
  }

  [[nodiscard]] UnixMillis earliest() const {
    return (*std::min_element(active_.begin(), active_.end(), [](const auto& a, const auto& b) {
             return a->head.time < b->head.time;
           }))->head.time;
  }

  base::FileSystem& files_;
  HistoryOptions options_;
  Notes notes_;
  std::vector<std::unique_ptr<Track>> waiting_;  // by first_time
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Track>> active_;  // in the order they began
  SnapshotBuilder builder_;
  Snapshot current_;
  std::uint64_t bytes_total_ = 0;
  std::uint64_t bytes_done_ = 0;
};

}  // namespace

Result<std::unique_ptr<HistorySource>> open_history(base::FileSystem& files, const std::vector<std::string>& paths,
                                                    const HistoryOptions& options) {
  auto history = std::make_unique<History>(files, options);
  if (auto opened = history->open(paths); !opened) return opened.error();
  return std::unique_ptr<HistorySource>(std::move(history));
}

}  // namespace kmem::history
