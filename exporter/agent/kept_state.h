// One state file of the agent: how it is taken up at the start and written, and what went wrong with it. A file that
// cannot be used is set aside, logged and counted, and the agent starts afresh; one that cannot be read just now is tried
// again at every save and not replaced until then; one of a newer version is kept under that version's name.
// Thread: load() and save() one at a time; all else from any. Failure: logged when it changes, counted, never thrown.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/base/file_io.h"
#include "collectors/base/flapping.h"
#include "collectors/base/result.h"
#include "collectors/base/state_file.h"

namespace kmem {

class KeptState {
 public:
  enum Failure : std::uint8_t { kUnreadable, kDamaged, kOtherVersion, kOtherHost, kUnwritable };
  static constexpr std::array<std::string_view, 5> kFailureNames = {"unreadable", "damaged", "other_version", "other_host",
                                                                    "unwritable"};

  /// `kind` as base::save_state wants it.
  KeptState(base::FileSystem& files, const base::Clock& clock, std::string path, std::string_view kind, std::uint32_t version)
      : files_(files), clock_(clock), path_(std::move(path)), kind_(kind), version_(version) {}

  /// Gets the payload; its kUnsupported means another version, its kInvalid another host, its kBusy that
  /// nobody wants it any more. May be called by save().
  using Take = std::function<base::Result<void>(std::string_view payload)>;
  void load(Take take);
  /// The folder is there. An Error was logged, where it is news, and counted.
  base::Result<void> save(std::string_view payload);
  base::Result<void> save(const base::PieceMaker& payload);
  /// It was not even tried: said once, counted as unwritable.
  void note_unsaved(std::string_view why);

  [[nodiscard]] std::uint64_t failures(Failure reason) const { return failures_[reason]; }
  [[nodiscard]] std::optional<base::UnixMillis> last_save() const;

 private:
  void say(const std::string& error);
  template <typename Payload>
  base::Result<void> write(const Payload& payload);

  base::FileSystem& files_;
  const base::Clock& clock_;
  const std::string path_;
  const std::string_view kind_;
  const std::uint32_t version_;
  base::Result<void> read(const std::string& path);
  [[nodiscard]] std::string name_of_version(std::uint32_t version) const;
  void prefer_own_version();
  void set_aside(const base::Error& fault);
  void take_up_again();
  bool is_unread_still();

  Take take_;
  std::optional<std::uint32_t> found_version_;  // another one than ours
  int unread_saves_ = 0;                        // since the start could not read the file; 0: it could
  std::mutex saying_;
  std::string last_error_;
  base::Flapping flapping_;
  std::array<std::atomic<std::uint64_t>, kFailureNames.size()> failures_{};
  std::atomic<base::UnixMillis> last_save_{0};  // 0 = not yet
};

}  // namespace kmem
