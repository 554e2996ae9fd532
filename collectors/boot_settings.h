// STAGE 2: the values of Memory Management that are in force. Windows reads them when it starts; what the registry says
// later is for the next start. So the pools' limits are told by the first that were seen of a boot, and what differs from
// them awaits the restart. They are kept over a restart of this program; of a change before it first saw the boot nothing
// is known. Thread: none of its own; the caller serialises.
// Failure: load() refuses a damaged payload (kMalformed) or another host's (kInvalid) and changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/boot_clock.h"
#include "collectors/base/result.h"
#include "collectors/boots.h"
#include "collectors/snapshot.h"

namespace kmem {

class BootSettings {
 public:
  static constexpr std::uint32_t kStateVersion = 1;

  struct Change {
    std::string name;
    std::optional<double> before, now;  // none: there was, is no such value
  };

  explicit BootSettings(std::string host_identity = {}) : host_identity_(std::move(host_identity)) {}

  /// Once a reading, after Boots; then as apply().
  void note(Snapshot& snapshot, const Boot& boot);
  /// Limits and trim threshold of a reading of the boot noted last become those in force. Its settings stay as read.
  void apply(Snapshot& snapshot) const;
  [[nodiscard]] std::span<const Change> changes() const { return changes_; }

  /// Whether there is anything to save().
  [[nodiscard]] bool is_known() const { return boot_.has_value(); }
  /// Whether save() has something that it never gave.
  [[nodiscard]] bool is_unsaved() const { return unsaved_; }
  [[nodiscard]] std::string save();
  /// Taken up by the next note(), if that is of the same boot.
  base::Result<void> load(std::string_view payload);

 private:
  struct Kept {
    base::BootReading reading;
    std::vector<Setting> settings;
  };
  void take_up_kept(const Boot& boot);

  const std::string host_identity_;
  std::optional<Kept> kept_;
  base::BootReading last_;
  std::optional<std::uint64_t> boot_;  // whose at_boot_ is
  std::vector<Setting> at_boot_;
  std::vector<Change> changes_;
  bool unsaved_ = false;
};

}  // namespace kmem
