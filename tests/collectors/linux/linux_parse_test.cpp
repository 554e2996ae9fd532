#include "collectors/linux/linux_parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/collectors/linux/tags_of.h"

namespace kmem::linux {
namespace {

using test::status_of;
using test::tags_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

RawFrame frame_of(std::vector<RawPart> parts) {
  RawFrame frame;
  frame.page_bytes = 4096;
  frame.parts = std::move(parts);
  return frame;
}

const std::string kSlabs = "slabinfo - version: 2.1\n# name\nfoo 5 6 7 8 1 : tunables 0 0 0 : slabdata 1 2 0\nbroken\n";

TEST(LinuxParse, AWholeFrame) {
  const RawFrame frame = frame_of({
      {"proc/meminfo", 0, 1500, "MemTotal: 8 kB\nSUnreclaim: 4 kB\n"},
      {"proc/slabinfo", 0, 200, kSlabs},
      {"kmem/slab_reclaim", 0, 0, "foo 1\n"},
      {"proc/vmallocinfo", 0, 0, "0x1-0x2 4096 f+0x1/0x2\n"},
      {"proc/allocinfo", 0, 0, "allocinfo - version: 1.0\n7 1 a.c:1 func:g\n"},
      {"proc/stat", 0, 0, "btime 5\n"},
      {"kmem/settings", 0, 0, "vm.swappiness 60\n"},
      {"kmem/processes", 0, 0, "1 9 init\n!unreadable 2\n"},
  });
  Snapshot out;
  parse_linux_frame(frame, out);
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("allocinfo/kernel:g:a.c", Pair(7U, 1U)),
                                        Pair("slab_reclaimable/foo", Pair(8192U, 5U)), Pair("vmalloc/f", Pair(4096U, 1U))));
  EXPECT_EQ(out.boot_time, 5000);
  EXPECT_EQ(out.physical_memory_bytes, 8192U);
  EXPECT_EQ(out.settings.at(0).value, 60);
  EXPECT_EQ(out.processes.at(0).name, "init");

  ASSERT_EQ(out.parts.size(), 7U);
  EXPECT_EQ(status_of(out, "meminfo")->state, PartState::kOk);
  EXPECT_EQ(status_of(out, "meminfo")->reason, "");
  EXPECT_DOUBLE_EQ(status_of(out, "meminfo")->seconds, 0.0015);
  EXPECT_EQ(status_of(out, "slabinfo")->state, PartState::kPartial);
  EXPECT_EQ(status_of(out, "slabinfo")->skipped_rows, 1U);
  EXPECT_EQ(status_of(out, "slabinfo")->reason, "1 rows could not be understood");
  EXPECT_EQ(status_of(out, "processes")->state, PartState::kPartial);
  EXPECT_EQ(status_of(out, "processes")->skipped_rows, 2U);
  EXPECT_THAT(status_of(out, "processes")->reason, HasSubstr("CAP_SYS_PTRACE"));
  // A list with a torn row may lack something; processes that nobody may look at never are in theirs.
  for (std::size_t pool = 0; pool < kPoolCount; ++pool)
    EXPECT_EQ(out.gaps.has(static_cast<Pool>(pool)), pool == 2 || pool == 3) << pool_name(static_cast<Pool>(pool));
  EXPECT_FALSE(out.gaps.processes);
  for (const char* whole : {"vmallocinfo", "allocinfo", "stat", "settings"})
    EXPECT_EQ(status_of(out, whole)->state, PartState::kOk) << whole;
}

TEST(LinuxParse, OnlyRowsThatCouldNotBeReadLeaveAGapAmongProcesses) {
  for (const auto& [text, has_gap] :
       {std::pair("7 1 a\n!over_limit 40\n!unreadable 3\n", false), std::pair("7 1 a\nx 1 b\n", true)}) {
    Snapshot out;
    parse_linux_frame(frame_of({{"kmem/processes", 0, 0, text}}), out);
    ASSERT_EQ(out.processes.size(), 1U);
    EXPECT_EQ(out.gaps.processes, has_gap) << text;
    EXPECT_EQ(out.parts.at(0).state, PartState::kPartial);
  }
}

TEST(LinuxParse, AFrameWithoutAPartHasNoStatusOfIt) {
  Snapshot out;
  parse_linux_frame(frame_of({{"proc/stat", 0, 0, "btime 5\n"}, {"nt/22", 0, 0, "x"}}), out);
  ASSERT_EQ(out.parts.size(), 1U);
  EXPECT_EQ(out.parts[0].collector, "stat");
}

TEST(LinuxParse, RefusedPartsNameTheFileAndWhatHelps) {
  Snapshot out;
  parse_linux_frame(frame_of({{"proc/slabinfo", 13, 0, ""},
                              {"proc/vmallocinfo", 1, 0, ""},
                              {"kmem/processes", 13, 0, ""},
                              {"proc/meminfo", 5, 0, ""},
                              {"proc/allocinfo", 27, 0, ""}}),
                    out);
  EXPECT_EQ(status_of(out, "slabinfo")->reason,
            "/proc/slabinfo cannot be read: permission denied; needs root or CAP_DAC_READ_SEARCH");
  EXPECT_THAT(status_of(out, "vmallocinfo")->reason, HasSubstr("/proc/vmallocinfo cannot be read: permission denied"));
  EXPECT_THAT(status_of(out, "processes")->reason, HasSubstr("root or CAP_SYS_PTRACE"));
  EXPECT_EQ(status_of(out, "meminfo")->reason, "/proc/meminfo cannot be read: errno 5");
  EXPECT_THAT(status_of(out, "allocinfo")->reason, HasSubstr("larger than"));
  for (const PartStatus& part : out.parts) EXPECT_EQ(part.state, PartState::kFailed) << part.collector;
}

TEST(LinuxParse, AbsentFilesAreUnsupportedWhereKernelsMayLackThem) {
  Snapshot out;
  parse_linux_frame(frame_of({{"proc/meminfo", 2, 0, ""},
                              {"proc/slabinfo", 2, 0, ""},
                              {"proc/vmallocinfo", 2, 0, ""},
                              {"proc/allocinfo", 2, 0, ""},
                              {"proc/stat", 2, 0, ""},
                              {"kmem/settings", 2, 0, ""}}),
                    out);
  for (const char* optional : {"slabinfo", "vmallocinfo", "allocinfo", "settings"}) {
    EXPECT_EQ(status_of(out, optional)->state, PartState::kUnsupported) << optional;
    EXPECT_THAT(status_of(out, optional)->reason, HasSubstr("this kernel has no /proc/")) << optional;
  }
  for (const char* needed : {"meminfo", "stat"}) {
    EXPECT_EQ(status_of(out, needed)->state, PartState::kFailed) << needed;
    EXPECT_THAT(status_of(out, needed)->reason, HasSubstr("does not exist")) << needed;
  }
}

TEST(LinuxParse, AMalformedPartFailsAlone) {
  Snapshot out;
  parse_linux_frame(frame_of({{"proc/meminfo", 0, 0, "nonsense"},
                              {"proc/slabinfo", 0, 0, "slabinfo - version: 9.9\nfoo\n"},
                              {"proc/stat", 0, 0, "btime 5\n"},
                              {"proc/vmallocinfo", 0, 0, "0x1-0x2 4096 f+0x1/0x2\n"}}),
                    out);
  EXPECT_EQ(status_of(out, "meminfo")->state, PartState::kFailed);
  EXPECT_EQ(status_of(out, "slabinfo")->state, PartState::kFailed);
  EXPECT_EQ(status_of(out, "slabinfo")->reason, "/proc/slabinfo: not slabinfo version 2.x, whose columns are known");
  EXPECT_EQ(status_of(out, "stat")->state, PartState::kOk);
  EXPECT_EQ(out.boot_time, 5000);
  EXPECT_THAT(tags_of(out), ElementsAre(Pair("vmalloc/f", Pair(4096U, 1U))));
}

TEST(LinuxParse, HasARowForEveryCollectorOfLinux) {
  std::vector<std::string_view> rows, known;
  for (const Collector& collector : collectors()) rows.push_back(collector.info.name);
  for (const config::CollectorInfo& info : config::kCollectors)
    if (info.on_linux.is_there) known.push_back(info.name);
  EXPECT_THAT(rows, testing::UnorderedElementsAreArray(known));
}

}  // namespace
}  // namespace kmem::linux
