#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/replay/capture.h"
#include "tests/collectors/replay/frames.h"
#include "tests/support/temp_folder.h"

namespace kmem::replay {
namespace {

using base::ErrorCode;
using test::capture_of;
using test::linux_frame;
using test::MemoryFiles;
using test::read_back;
using test::windows_frame;
using testing::HasSubstr;

TEST(CaptureWriter, GoesOnWithAnExistingCapture) {
  MemoryFiles files;
  files.put("c", capture_of({linux_frame(1), linux_frame(2)}));
  auto writer = CaptureWriter::open(files, "c");
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(writer->frames_found(), 2U);
  EXPECT_EQ(writer->torn_bytes_cut(), 0U);
  ASSERT_TRUE(writer->append(linux_frame(3)).ok());
  EXPECT_EQ(*files.get("c"), capture_of({linux_frame(1), linux_frame(2), linux_frame(3)}));
  EXPECT_EQ(writer->size_bytes(), files.get("c")->size());
}

TEST(CaptureWriter, CutsATornTailWhereverItTore) {
  const std::string before = capture_of({linux_frame(1)});
  const std::string whole = capture_of({linux_frame(1), windows_frame(2)});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    MemoryFiles files;
    files.put("c", whole.substr(0, length));
    auto writer = CaptureWriter::open(files, "c");
    ASSERT_TRUE(writer.ok()) << length << writer.error().message;
    const bool first_is_whole = length >= before.size();
    EXPECT_EQ(writer->frames_found(), first_is_whole ? 1U : 0U) << length;
    const std::size_t kept = first_is_whole ? before.size() : length >= 16 ? 16 : 0;
    EXPECT_EQ(writer->torn_bytes_cut(), length - kept) << length;
    ASSERT_TRUE(writer->append(windows_frame(2)).ok());
    EXPECT_EQ(*files.get("c"), first_is_whole ? whole : capture_of({windows_frame(2)})) << length;
  }
}

TEST(CaptureWriter, CutsATailThatAPowerCutLeftAsZeros) {
  MemoryFiles files;
  const std::string before = capture_of({linux_frame(1)});
  files.put("c", before + std::string(200'000, '\0'));
  auto writer = CaptureWriter::open(files, "c");
  ASSERT_TRUE(writer.ok()) << writer.error().message;
  EXPECT_EQ(writer->torn_bytes_cut(), 200'000U);
  EXPECT_EQ(*files.get("c"), before);
}

TEST(CaptureWriter, LeavesACaptureAloneThatIsDamagedInTheMiddle) {
  const std::string head = capture_of({});
  const std::string first = capture_of({linux_frame(1)});
  // The frame that follows lies across the pieces in which the file is searched.
  for (std::size_t gap = 65'400; gap < 65'600; ++gap) {
    MemoryFiles files;
    const std::string bytes = first + std::string(gap, 'x') + capture_of({linux_frame(3)}).substr(head.size());
    files.put("c", bytes);
    const auto writer = CaptureWriter::open(files, "c");
    ASSERT_FALSE(writer.ok()) << gap;
    ASSERT_EQ(writer.error().code, ErrorCode::kMalformed);
    ASSERT_EQ(writer.error().message, "c: damaged at byte " + std::to_string(first.size()) +
                                          ": not a frame's header, or a changed one; whole frames follow, so it is left "
                                          "as it is");
    ASSERT_EQ(*files.get("c"), bytes);
  }
}

TEST(CaptureWriter, RefusesAFileThatIsNoCapture) {
  for (const std::string content : {"notes", "a long file that is something else altogether"}) {
    MemoryFiles files;
    files.put("c", content);
    const auto writer = CaptureWriter::open(files, "c");
    ASSERT_FALSE(writer.ok());
    EXPECT_EQ(writer.error().message, "c: not a capture");
    EXPECT_EQ(*files.get("c"), content);
  }
}

TEST(CaptureWriter, AFullDiskCostsOnlyTheFrameThatDidNotFit) {
  for (std::uint64_t works = 0; works < 3; ++works) {  // append, sync, and the truncate after them
    MemoryFiles files;
    auto writer = CaptureWriter::open(files, "c");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->append(linux_frame(1)).ok());
    files.fail_after(works);
    const bool second = writer->append(linux_frame(2)).ok();
    EXPECT_EQ(second, works == 2) << works;
    files.repair();
    ASSERT_TRUE(writer->append(linux_frame(3)).ok());
    const auto expected = second ? std::vector<RawFrame>{linux_frame(1), linux_frame(2), linux_frame(3)}
                                 : std::vector<RawFrame>{linux_frame(1), linux_frame(3)};
    EXPECT_EQ(*files.get("c"), capture_of(expected)) << works;
  }
}

TEST(CaptureWriter, EveryFrameSurvivesAPowerCutOnceAppended) {
  MemoryFiles files;
  files.put("c", "");
  auto writer = CaptureWriter::open(files, "c");
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->append(linux_frame(1)).ok());
  ASSERT_TRUE(writer->append(linux_frame(2)).ok());
  files.crash();
  EXPECT_EQ(read_back(*files.get("c")).frames, (std::vector<RawFrame>{linux_frame(1), linux_frame(2)}));
}

TEST(CaptureWriter, RefusesFramesBeyondTheBoundsAndGoesOn) {
  MemoryFiles files;
  auto writer = CaptureWriter::open(files, "c");
  ASSERT_TRUE(writer.ok());
  RawFrame many = linux_frame(1);
  many.parts.resize(kMaxParts + 1);
  RawFrame long_name = linux_frame(1);
  long_name.parts[0].name = std::string(kMaxPartNameBytes + 1, 'n');
  RawFrame big = linux_frame(1);
  big.parts[0].bytes = std::string(kMaxBodyBytes - 10, 'x');
  RawFrame strange = linux_frame(1);
  strange.pointer_bytes = 5;
  for (const RawFrame& frame : {many, long_name, big, strange}) {
    const auto refused = writer->append(frame);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(refused.error().message, HasSubstr("c: a frame"));
  }
  RawFrame most = linux_frame(1);
  most.parts.assign(kMaxParts, {std::string(kMaxPartNameBytes, 'n'), -1, ~std::uint64_t{0}, ""});
  ASSERT_TRUE(writer->append(most).ok());
  EXPECT_EQ(read_back(*files.get("c")).frames, std::vector<RawFrame>{most});
}

TEST(CaptureWriter, WorksOnARealDiskOneWriterAtATime) {
  const test::TempFolder folder;
  const std::string path = folder.path() + "history.kmc";
  base::FileSystem& files = base::os_file_system();
  {
    auto writer = CaptureWriter::open(files, path);
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    ASSERT_TRUE(writer->append(windows_frame(1)).ok());
    const auto second = CaptureWriter::open(files, path);
    ASSERT_FALSE(second.ok());
    EXPECT_THAT(second.error().message, HasSubstr(path + ": cannot open for writing: "));
  }
  {
    auto torn = files.open(path, base::OpenMode::kReadAppend);
    ASSERT_TRUE(torn.ok());
    ASSERT_TRUE((*torn)->append("KMF1 and no more").ok());
  }
  auto writer = CaptureWriter::open(files, path);
  ASSERT_TRUE(writer.ok()) << writer.error().message;
  EXPECT_EQ(writer->torn_bytes_cut(), 16U);
  ASSERT_TRUE(writer->append(linux_frame(2)).ok());
  const auto bytes = base::read_file(files, path, 1 << 20);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(read_back(*bytes).frames, (std::vector<RawFrame>{windows_frame(1), linux_frame(2)}));
}

}  // namespace
}  // namespace kmem::replay
