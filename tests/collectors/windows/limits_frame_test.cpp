// From a raw frame to limits and events: what several parts say together.
#include <gmock/gmock.h>

#include "collectors/windows/limits.h"
#include "collectors/windows/windows_frames.h"
#include "collectors/windows/windows_parse.h"
#include "tests/collectors/windows/event_bytes.h"
#include "tests/collectors/windows/fake_kernel.h"

namespace kmem::windows {
namespace {

using test::NtBytes;

constexpr std::uint64_t kMiB = 1ULL << 20;

class Facts final : public SystemProbe {
 public:
  explicit Facts(std::string text) : text_(std::move(text)) {}
  std::string facts() override { return text_; }

 private:
  std::string text_;
};

class OneRecord final : public SystemLog {
 public:
  [[nodiscard]] EventForm form() const override { return EventForm::kRecord; }
  NtStatus read_back(bool, const std::function<bool(std::string_view)>& take) override {
    take(test::event_record(5, 1'700'000'000, 0xC00007E4, "Srv"));
    return kStatusOk;
  }
};

/// 2003 with 4 GB, of which 3 are programs': what class 2 says is in pages.
struct Machine2003 {
  test::FakeKernel* kernel = new test::FakeKernel;
  test::FakeRegistry* registry = new test::FakeRegistry;
  test::TickingClock clock;
  WindowsFrames frames;

  explicit Machine2003(std::string facts, std::uint32_t maximum_user_address = 0x7FFEFFFF, std::uint32_t quota = 0)
      : frames(std::unique_ptr<NtQuery>(kernel), std::unique_ptr<Registry>(registry), {}, clock, 4) {
    frames.add_system(std::make_unique<Facts>(std::move(facts)), std::make_unique<OneRecord>());
    kernel->answers[0] = NtBytes(44).put(8, 4096U).put(12, 1'048'576U).put(32, maximum_user_address).str();
    kernel->answers[2] = NtBytes(312)
                             .put(48, 100'000U)
                             .put(52, 2'000'000U)
                             .put(112, 30'000U)
                             .put(116, 10'000U)
                             .put(120, 9U)
                             .put(136, 170'000U)
                             .str();
    kernel->answers[37] = NtBytes(12).put(0, 0x2000000U).put(4, 0x200000U).put(8, quota).str();
  }
  Snapshot read() {
    RawFrame frame;
    EXPECT_TRUE(frames.acquire(frame).ok());
    Snapshot snapshot;
    parse_windows_frame(frame, snapshot);
    return snapshot;
  }
};

TEST(LimitsOfAFrame, VersionMemoryAndRegistryTogether) {
  Machine2003 machine("version=5.2.3790\nmachine=x86\n");
  machine.registry->values = {{"PoolUsageMaximum", 60}};
  const Snapshot out = machine.read();
  ASSERT_EQ(out.pools.size(), 2U);
  ASSERT_TRUE(out.pools[0].limit && out.pools[1].limit);
  EXPECT_EQ(out.pools[0].limit->bytes, 352 * kMiB);
  EXPECT_EQ(out.pools[0].limit->rule, "2003_x86");
  EXPECT_EQ(out.pools[0].trim_threshold_bytes, 352 * kMiB * 60 / 100);
  EXPECT_EQ(out.pools[1].limit->bytes, 256 * kMiB);
  EXPECT_EQ(out.pools[1].limit->source, "estimate");
  EXPECT_FALSE(out.pools[1].trim_threshold_bytes);
  EXPECT_EQ(out.system_ptes_free, 170'000U);
  EXPECT_EQ(out.os, (OsInfo{"", "5.2", "3790", "x86"}));
  EXPECT_EQ(out.user_address_space_bytes, 2048 * kMiB);
}

TEST(LimitsOfAFrame, The3gbSwitchShowsInClass0) {
  const Snapshot out = Machine2003("version=5.2.3790\nmachine=x86\n", 0xBFFEFFFF).read();
  EXPECT_EQ(out.pools.at(0).limit->bytes, 158 * kMiB);
  EXPECT_EQ(out.pools.at(1).limit->bytes, 128 * kMiB);
  EXPECT_EQ(out.user_address_space_bytes, 3072 * kMiB);
}

TEST(LimitsOfAFrame, Class37WhereItIsWhole) {
  const Snapshot out = Machine2003("version=5.2.3790\nmachine=x86\n", 0x7FFEFFFF, 343 * kMiB).read();
  EXPECT_EQ(out.pools.at(0).limit->bytes, 343 * kMiB);
  EXPECT_EQ(out.pools.at(0).limit->source, "kernel");
  EXPECT_EQ(*out.pools.at(0).trim_threshold_bytes / kMiB, 274U);
  // A 32-bit program on a 64-bit kernel sees it cut off, and its own address space says nothing about the kernel's.
  const Snapshot narrow = Machine2003("version=5.2.3790\nmachine=x64\n", 0xFFFEFFFF, 343 * kMiB).read();
  EXPECT_EQ(narrow.pools.at(0).limit->rule, "xp_2003_x64");
  EXPECT_EQ(narrow.pools.at(1).limit->bytes, 4096ULL * 400 * 1024);
}

TEST(LimitsOfAFrame, MoreFreePtesThanTheKernelHasRoomForAreNone) {
  Machine2003 machine("version=5.2.3790\nmachine=x86\n");
  machine.kernel->answers[2] = NtBytes(312).put(52, 9U).put(112, 9U).put(136, 524'289U).str();
  EXPECT_FALSE(machine.read().system_ptes_free);
  machine.kernel->answers[2] = NtBytes(312).put(52, 9U).put(112, 9U).put(136, 524'288U).str();
  EXPECT_EQ(machine.read().system_ptes_free, 524'288U);
  Machine2003 wide("version=10.0.17763\nmachine=x64\n");
  wide.kernel->answers[2] = NtBytes(312).put(52, 9U).put(112, 9U).put(136, 16'000'000U).str();
  EXPECT_EQ(wide.read().system_ptes_free, 16'000'000U);
}

TEST(LimitsOfAFrame, ByOtherSettingsThanTheFrameHas) {
  Machine2003 machine("version=5.2.3790\nmachine=x86\n");
  machine.registry->values = {{"PoolUsageMaximum", 40}, {"PagedPoolSize", 0xFFFFFFFF}, {"NonPagedPoolSize", 50U << 20}};
  Snapshot out = machine.read();
  EXPECT_EQ(out.pools.at(0).limit->bytes, 650 * kMiB);
  EXPECT_EQ(out.pools.at(1).limit->bytes, 50 * kMiB);
  limit_by_settings(out, {});
  EXPECT_EQ(out.pools.at(0).limit->bytes, 352 * kMiB);
  EXPECT_EQ(out.pools.at(0).limit->source, "estimate");
  EXPECT_EQ(out.pools.at(0).trim_threshold_bytes, 352 * kMiB * 80 / 100);
  EXPECT_EQ(out.pools.at(1).limit->bytes, 256 * kMiB);
  limit_by_settings(out, out.settings);
  EXPECT_EQ(out.pools.at(0).trim_threshold_bytes, 650 * kMiB * 40 / 100);
  EXPECT_EQ(out.pools.at(1).limit->bytes, 50 * kMiB);

  Machine2003 told("version=5.2.3790\nmachine=x86\n", 0x7FFEFFFF, 343 * kMiB);
  Snapshot kernel = told.read();
  limit_by_settings(kernel, std::vector<Setting>{{"PagedPoolSize", 100.0 * (1 << 20)}, {"PoolUsageMaximum", 50}});
  EXPECT_EQ(kernel.pools.at(0).limit->bytes, 343 * kMiB) << "the kernel's own word";
  EXPECT_EQ(kernel.pools.at(0).trim_threshold_bytes, 343 * kMiB * 50 / 100);

  Snapshot wine = Machine2003("version=5.2.3790\nmachine=x86\nwine=1\n").read();
  limit_by_settings(wine, {});
  EXPECT_FALSE(wine.pools.at(0).limit);
}

/// A pool that grows beyond the estimate does not find its threshold far above itself.
TEST(LimitsOfAFrame, TheTrimThresholdDoesNotLeapWhereTheEstimateIsRefuted) {
  const auto read = [](std::uint32_t paged_pages) {
    Machine2003 machine("version=5.2.3790\nmachine=x86\n");
    machine.kernel->answers[2] = NtBytes(312).put(52, 2'000'000U).put(112, paged_pages).put(116, 10'000U).str();
    return machine.read().pools.at(0);
  };
  EXPECT_EQ(read(351 * 256).trim_threshold_bytes, 352 * kMiB * 80 / 100);
  const PoolTotals beyond = read(353 * 256);
  EXPECT_EQ(beyond.limit->bytes, 650 * kMiB);
  EXPECT_EQ(beyond.trim_threshold_bytes, 353 * kMiB * 80 / 100);
  EXPECT_EQ(read(519 * 256).trim_threshold_bytes, 519 * kMiB * 80 / 100);
}

TEST(LimitsOfAFrame, AnUnknownSystemHasNone) {
  const Snapshot out = Machine2003("").read();
  EXPECT_FALSE(out.pools.at(0).limit);
  const Snapshot damaged = Machine2003("version=five\n").read();
  EXPECT_FALSE(damaged.pools.at(0).limit);
  int seen = 0;
  for (const auto& [snapshot, state] : {std::pair(&out, PartState::kUnsupported), std::pair(&damaged, PartState::kFailed)})
    for (const PartStatus& part : snapshot->parts) {
      if (part.collector != "limits") continue;
      EXPECT_EQ(part.state, state) << part.reason;
      ++seen;
    }
  EXPECT_EQ(seen, 2);
}

TEST(EventsOfAFrame, AreInTheSnapshotOnce) {
  Machine2003 machine("version=5.2.3790\nmachine=x86\n");
  const Snapshot first = machine.read();
  ASSERT_TRUE(first.event_log);
  ASSERT_EQ(first.event_log->records.size(), 1U);
  EXPECT_EQ(first.event_log->records[0].record_id, 5U);
  ASSERT_EQ(first.failure_events.size(), 4U);
  EXPECT_EQ(first.failure_events[3].event_id, 2020U);
  EXPECT_EQ(first.failure_events[3].count, 0U);
  const Snapshot second = machine.read();
  ASSERT_TRUE(second.event_log);
  EXPECT_EQ(second.event_log->first, 1U);
  EXPECT_TRUE(second.event_log->records.empty());
  EXPECT_EQ(second.event_log->origin, first.event_log->origin);

  Machine2003 resumed("version=5.2.3790\nmachine=x86\n");
  resumed.frames.resume_events({5, 1'700'000'000'000});
  EXPECT_TRUE(resumed.read().event_log->records.empty());
}

}  // namespace
}  // namespace kmem::windows
