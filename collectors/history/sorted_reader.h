// A file whose newest readings stand first, read oldest first: as often as its snapshots in order of time need, of which
// the memory has room for some at once. Thread: one.
// Failure: the file's own, behind all that stands above it; kMalformed when it would have to be read too often.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "collectors/history/snapshot_reader.h"

namespace kmem::history {

/// About what it takes in memory.
[[nodiscard]] std::size_t bytes_of(const Snapshot& snapshot);

class SortedReader final : public SnapshotReader {
 public:
  /// Opens the file anew. `is_first`: else what it says was said already.
  using Open = std::function<Reader(bool is_first)>;
  static constexpr std::size_t kRoomBytes = std::size_t{40} << 20;
  static constexpr std::size_t kMostPasses = 40;

  explicit SortedReader(Open open, std::size_t room_bytes = kRoomBytes) : open_(std::move(open)), room_bytes_(room_bytes) {}

  base::Result<bool> next(Snapshot& out) override;
  [[nodiscard]] std::uint64_t line() const override { return line_; }
  [[nodiscard]] const std::string& host() const override { return host_; }

 private:
  struct Piece {
    Snapshot snapshot;
    std::string host;
    std::uint64_t line = 0;
    std::size_t bytes = 0;
  };

  /// The next ones that there is room for.
  base::Result<void> fill();

  Open open_;
  std::size_t room_bytes_;
  std::multimap<base::UnixMillis, Piece> pieces_;
  std::optional<base::UnixMillis> given_;  // all up to here
  bool any_left_ = true;
  std::optional<base::Error> failed_;  // where the last pass broke off
  std::size_t passes_ = 0;
  std::string host_;
  std::uint64_t line_ = 0;
};

}  // namespace kmem::history
