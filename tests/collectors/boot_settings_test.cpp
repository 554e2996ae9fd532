// Which values of Memory Management are in force, over changes, reboots and restarts of the program.
#include "collectors/boot_settings.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/source.h"

namespace kmem {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr base::UnixMillis kFirstBoot = 1'700'000'000'000, kAMinute = 60'000;

/// 2003 x86 with 2 GB and a paged pool of 290 MB.
class Server2003 {
 public:
  explicit Server2003(BootSettings& settings) : settings_(settings) {}

  /// One reading, `minutes` after the boot.
  const Snapshot& read(std::int64_t minutes, std::vector<Setting> values, PartState state = PartState::kOk) {
    seen_.clear();
    seen_.system = System::kWindows;
    seen_.os = OsInfo{"", "5.2", "3790", "x86"};
    seen_.time = boot_ + minutes * kAMinute;
    seen_.boot_time = boot_;
    seen_.physical_memory_bytes = 2048 * kMiB;
    seen_.parts = {{"settings", state, "", 0, 0}};
    seen_.pools = {{Pool::kPaged, 290 * kMiB, {}, {}, {}, {}, PoolLimit{1, "as", "parsed"}, 1}};
    seen_.settings = std::move(values);
    limit_by_settings(seen_, seen_.settings);
    settings_.note(seen_, boots_.note(seen_));
    return seen_;
  }
  void reboot() { boot_ += 10'000 * kAMinute; }

 private:
  BootSettings& settings_;
  Boots boots_;
  base::UnixMillis boot_ = kFirstBoot;
  Snapshot seen_;
};

std::uint64_t limit_mb(const Snapshot& snapshot) { return snapshot.pools.at(0).limit->bytes / kMiB; }
std::uint64_t trim_mb(const Snapshot& snapshot) { return *snapshot.pools.at(0).trim_threshold_bytes / kMiB; }

std::vector<Setting> changed_values() { return {{"PagedPoolSize", 4'294'967'295.0}, {"PoolUsageMaximum", 40}}; }

TEST(BootSettings, AChangeIsInForceAfterTheNextBootOnly) {
  BootSettings settings;
  Server2003 host(settings);
  EXPECT_EQ(limit_mb(host.read(5, {})), 352U);
  const Snapshot& changed = host.read(6, changed_values());
  EXPECT_EQ(limit_mb(changed), 352U);
  EXPECT_EQ(trim_mb(changed), 281U);
  EXPECT_EQ(changed.settings.size(), 2U) << "the registry's values are told as they are";
  ASSERT_EQ(settings.changes().size(), 2U);
  EXPECT_EQ(settings.changes()[0].before, std::nullopt);
  EXPECT_EQ(settings.changes()[1].now, 40);
  host.reboot();
  const Snapshot& again = host.read(5, changed_values());
  EXPECT_EQ(limit_mb(again), 650U);
  EXPECT_EQ(trim_mb(again), 260U);
  EXPECT_TRUE(settings.changes().empty());
  EXPECT_EQ(limit_mb(host.read(6, {}, PartState::kFailed)), 650U) << "a registry that is not read has changed nothing";
}

TEST(BootSettings, AreKeptOverARestartOfTheProgramInTheSameBoot) {
  BootSettings first("host");
  Server2003 before(first);
  before.read(5, {});
  EXPECT_TRUE(first.is_unsaved());
  before.read(6, changed_values());
  const std::string kept = first.save();
  EXPECT_FALSE(first.is_unsaved());

  BootSettings second("host");
  ASSERT_TRUE(second.load(kept).ok());
  Server2003 after(second);
  EXPECT_EQ(limit_mb(after.read(30, changed_values())), 352U);
  EXPECT_EQ(second.changes().size(), 2U);
  after.read(31, {});
  EXPECT_TRUE(second.changes().empty()) << "set back";

  BootSettings third("host");
  ASSERT_TRUE(third.load(kept).ok());
  Server2003 rebooted(third);
  rebooted.reboot();
  EXPECT_EQ(limit_mb(rebooted.read(5, changed_values())), 650U);
  EXPECT_TRUE(third.changes().empty());

  // Storage that was late: what was seen first meanwhile gives way.
  BootSettings late("host");
  Server2003 fast(late);
  EXPECT_EQ(limit_mb(fast.read(30, changed_values())), 650U) << "of a change before nothing is known";
  ASSERT_TRUE(late.load(kept).ok());
  EXPECT_EQ(limit_mb(fast.read(31, changed_values())), 352U);
}

TEST(BootSettings, DamagedAndForeignStateIsRefused) {
  BootSettings settings("host");
  Server2003 host(settings);
  host.read(5, changed_values());
  const std::string kept = settings.save();
  for (std::size_t size = 0; size < kept.size(); ++size)
    EXPECT_EQ(BootSettings("host").load(kept.substr(0, size)).error().code, base::ErrorCode::kMalformed) << size;
  EXPECT_EQ(BootSettings("other").load(kept).error().code, base::ErrorCode::kInvalid);
}

}  // namespace
}  // namespace kmem
