#include "collectors/replay/capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "collectors/base/checksum.h"
#include "collectors/base/wire.h"
#include "tests/collectors/replay/frames.h"

namespace kmem::replay {
namespace {

using test::capture_of;
using test::linux_frame;
using test::read_back;
using test::windows_frame;
using testing::HasSubstr;
using namespace std::literals;

constexpr std::size_t kFileHeadBytes = 16;
constexpr std::size_t kHeadBytes = 36;

// A frame whose sums are right and whose content is the caller's.
std::string frame_bytes(std::string_view stored, std::uint32_t stored_bytes, std::uint32_t body_bytes, char system = 1,
                        char pointer_bytes = 8) {
  std::string bytes = "KMF1";
  base::WireWriter out(bytes);
  out.fixed(stored_bytes);
  out.fixed(body_bytes);
  out.fixed(system);
  out.fixed(pointer_bytes);
  out.fixed(std::uint16_t{0});
  out.fixed(std::uint32_t{4096});
  out.fixed(std::int64_t{5});
  out.fixed(base::crc32(stored));
  out.fixed(base::crc32(bytes));
  return bytes += stored;
}

std::string compressed(std::string_view body) {
  uLongf length = compressBound(static_cast<uLong>(body.size()));
  std::string out(length, '\0');
  compress(reinterpret_cast<unsigned char*>(out.data()), &length, reinterpret_cast<const unsigned char*>(body.data()),
           static_cast<uLong>(body.size()));
  out.resize(length);
  return out;
}

std::string frame_around(std::string_view body) {
  const std::string stored = compressed(body);
  return frame_bytes(stored, static_cast<std::uint32_t>(stored.size()), static_cast<std::uint32_t>(body.size()));
}

TEST(Capture, BothSystemsFramesComeBackAsTheyWere) {
  RawFrame empty;
  empty.time = -1;
  const std::vector<RawFrame> frames = {linux_frame(1'700'000'000'000), windows_frame(1'700'000'060'000), empty};
  const auto found = read_back(capture_of(frames));
  EXPECT_EQ(found.error, "");
  EXPECT_EQ(found.frames, frames);
}

TEST(Capture, ABigIncompressibleFrameComesBack) {
  RawFrame frame = linux_frame(1);
  std::uint32_t noise = 1;
  std::string& bytes = frame.parts[0].bytes;
  for (int i = 0; i < 3'000'000; ++i) bytes.push_back(static_cast<char>((noise = noise * 1664525 + 1013904223) >> 24));
  const auto found = read_back(capture_of({frame, linux_frame(2)}));
  EXPECT_EQ(found.error, "");
  ASSERT_EQ(found.frames.size(), 2U);
  EXPECT_TRUE(found.frames[0] == frame);
}

TEST(Capture, HasTheBytesItPromises) {
  const std::string bytes = capture_of({windows_frame(0x0102030405060708)});
  ASSERT_GT(bytes.size(), kFileHeadBytes + kHeadBytes);
  EXPECT_EQ(bytes.substr(0, 12), "KMCAPTUR\x01\0\0\0"sv);
  const std::string frame = bytes.substr(kFileHeadBytes);
  EXPECT_EQ(frame.substr(0, 4), "KMF1");
  EXPECT_EQ(static_cast<unsigned char>(frame[4]), frame.size() - kHeadBytes);
  EXPECT_EQ(frame.substr(12, 8), "\x02\x04\0\0\0\x20\0\0"sv);
  EXPECT_EQ(frame.substr(20, 8), "\x08\x07\x06\x05\x04\x03\x02\x01"sv);
}

TEST(Capture, EveryTruncationGivesTheWholeFramesBeforeIt) {
  const std::vector<RawFrame> frames = {linux_frame(1), windows_frame(2), linux_frame(3)};
  const std::string bytes = capture_of(frames);
  const std::size_t ends[] = {kFileHeadBytes, capture_of({frames[0]}).size(), capture_of({frames[0], frames[1]}).size(),
                              bytes.size()};
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const auto found = read_back(bytes.substr(0, length));
    std::size_t whole = 0;
    while (whole < 3 && ends[whole + 1] <= length) ++whole;
    ASSERT_EQ(found.frames, std::vector<RawFrame>(frames.begin(), frames.begin() + static_cast<int>(whole))) << length;
    if (length == ends[whole]) {
      ASSERT_EQ(found.error, "") << length;
    } else if (length < std::size("KMCAPTUR") - 1) {
      ASSERT_EQ(found.error, "c: not a capture") << length;
    } else {
      const std::size_t at = length < kFileHeadBytes ? 0 : ends[whole];
      ASSERT_THAT(found.error, HasSubstr("c: damaged at byte " + std::to_string(at) + ": the file ends within")) << length;
    }
  }
}

TEST(Capture, EveryFlippedBitGivesTheWholeFramesBeforeIt) {
  const std::vector<RawFrame> frames = {linux_frame(1), windows_frame(2), linux_frame(3)};
  const std::string bytes = capture_of(frames);
  const std::size_t ends[] = {kFileHeadBytes, capture_of({frames[0]}).size(), capture_of({frames[0], frames[1]}).size(),
                              bytes.size()};
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto found = read_back(flipped);
    std::size_t whole = 0;
    while (ends[whole + 1] <= bit / 8) ++whole;
    ASSERT_EQ(found.frames, std::vector<RawFrame>(frames.begin(), frames.begin() + static_cast<int>(whole))) << bit;
    ASSERT_NE(found.error, "") << bit;
    if (bit / 8 < kFileHeadBytes) continue;  // said otherwise for the file's own header
    ASSERT_THAT(found.error, HasSubstr("c: damaged at byte " + std::to_string(ends[whole]) + ": ")) << bit;
  }
}

TEST(Capture, EveryFlippedBitCostsItsFrameAlone) {
  const std::vector<RawFrame> frames = {linux_frame(1), windows_frame(2), linux_frame(3)};
  const std::string bytes = capture_of(frames);
  const std::size_t ends[] = {kFileHeadBytes, capture_of({frames[0]}).size(), capture_of({frames[0], frames[1]}).size(),
                              bytes.size()};
  for (std::size_t bit = kFileHeadBytes * 8; bit < bytes.size() * 8; bit += 5) {
    test::MemoryFiles files;
    files.put("c", bytes);
    const_cast<std::string&>(*files.get("c"))[bit / 8] ^= static_cast<char>(1 << bit % 8);
    std::size_t hurt = 0;
    while (ends[hurt + 1] <= bit / 8) ++hurt;
    auto reader = CaptureReader::open(files, "c");
    ASSERT_TRUE(reader.ok());
    RawFrame frame;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto more = reader->next(frame);
      ASSERT_EQ(more.ok(), i != hurt) << bit;
      if (i != hurt) {
        ASSERT_TRUE(*more && frame == frames[i]) << bit;
        continue;
      }
      const auto passed = reader->resume();
      ASSERT_TRUE(passed.ok());
      ASSERT_EQ(passed->bytes, ends[hurt + 1] - ends[hurt]) << bit;
      ASSERT_EQ(passed->frame_follows, hurt < 2) << bit;
    }
    ASSERT_FALSE(*reader->next(frame)) << bit;
  }
}

TEST(Capture, GoesOnBehindALostPieceAndWhereTheNextOneIsDamagedToo) {
  const std::string one = capture_of({linux_frame(1)}).substr(kFileHeadBytes),
                    two = capture_of({linux_frame(2)}).substr(kFileHeadBytes);
  std::string damaged = two;
  damaged.back() ^= 1;
  test::MemoryFiles files;
  // The first frame lacks its end, so it claims what is the second's.
  files.put("c", capture_of({}) + one.substr(0, one.size() - 9) + damaged + "rubbish" + two);
  auto reader = CaptureReader::open(files, "c");
  ASSERT_TRUE(reader.ok());
  RawFrame frame;
  EXPECT_FALSE(reader->next(frame).ok());
  EXPECT_EQ(reader->resume()->bytes, one.size() - 9);
  EXPECT_FALSE(reader->next(frame).ok());
  EXPECT_EQ(reader->resume()->bytes, two.size() + 7);
  ASSERT_TRUE(*reader->next(frame));
  EXPECT_TRUE(frame == linux_frame(2));
  EXPECT_EQ(reader->offset(), files.get("c")->size());
  EXPECT_FALSE(*reader->next(frame));
}

TEST(Capture, HeadersThatLieAreNotFollowedForever) {
  std::string bytes = capture_of({});
  const std::string head = frame_bytes("", kMaxBodyBytes, 1);
  while (bytes.size() < (std::size_t{8} << 20)) bytes += head;
  test::MemoryFiles files;
  files.put("c", bytes);
  auto reader = CaptureReader::open(files, "c");
  ASSERT_TRUE(reader.ok());
  RawFrame frame;
  int resumed = 0;
  for (; !reader->next(frame) && reader->resume(); ++resumed) ASSERT_LT(resumed, 100);
  EXPECT_EQ(resumed, 32);  // of 8 MiB each
  EXPECT_THAT(reader->next(frame).error().message, HasSubstr("the rest is not looked for"));
}

TEST(Capture, AnErrorStaysUntilResumed) {
  test::MemoryFiles files;
  files.put("c", capture_of({linux_frame(1)}) + "rubbish" + capture_of({linux_frame(2)}).substr(kFileHeadBytes));
  auto reader = CaptureReader::open(files, "c");
  ASSERT_TRUE(reader.ok());
  RawFrame frame;
  ASSERT_TRUE(*reader->next(frame));
  const auto first = reader->next(frame);
  const auto second = reader->next(frame);
  ASSERT_FALSE(first.ok());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(first.error().message, second.error().message);
}

TEST(Capture, ADiskErrorIsNoDamage) {
  test::MemoryFiles files;
  files.put("c", capture_of({linux_frame(1)}));
  auto reader = CaptureReader::open(files, "c");
  ASSERT_TRUE(reader.ok());
  files.fail_after(0);
  RawFrame frame;
  EXPECT_EQ(reader->next(frame).error().code, base::ErrorCode::kIo);
}

TEST(Capture, RefusesWhatIsNoCaptureAndOtherVersions) {
  EXPECT_EQ(read_back("").error, "c: not a capture");
  EXPECT_EQ(read_back("timestamp,pool,tag,bytes\n").error, "c: not a capture");
  std::string newer = "KMCAPTUR\x02\0\0\0"s;
  base::WireWriter(newer).fixed(base::crc32(newer));
  EXPECT_EQ(read_back(newer).error, "c: a capture of version 2, this program knows version 1");
}

TEST(Capture, HostileLengthsAreRefusedBeforeTheirMemoryIsTaken) {
  const std::string head = capture_of({});
  const std::string stored = compressed("\0"sv);
  const auto error = [&](const std::string& frame) { return read_back(head + frame).error; };
  EXPECT_EQ(error(frame_bytes(stored, 0xffffffff, 1)),
            "c: damaged at byte 16: the frame claims 4294967295 bytes for a body of 1");
  EXPECT_THAT(error(frame_bytes(stored, 9, 0xffffffff)), HasSubstr("the frame claims 9 bytes for a body of 4294967295"));
  EXPECT_THAT(error(frame_bytes(stored, kMaxBodyBytes, 1)), HasSubstr("the file ends within the frame"));
  EXPECT_THAT(error(frame_bytes(stored, static_cast<std::uint32_t>(stored.size()), kMaxBodyBytes)),
              HasSubstr("does not decompress to the 67108864 bytes claimed"));
  EXPECT_THAT(error(frame_bytes(stored, static_cast<std::uint32_t>(stored.size()), 1, 3)), HasSubstr("unknown kernel"));
  EXPECT_THAT(error(frame_bytes(stored, static_cast<std::uint32_t>(stored.size()), 1, 1, 2)), HasSubstr("unknown kernel"));
  EXPECT_THAT(error(frame_bytes("no zlib", 7, 20)), HasSubstr("does not decompress"));
  EXPECT_EQ(error(frame_bytes(stored, static_cast<std::uint32_t>(stored.size()), 1)), "");
}

TEST(Capture, ACompressionBombStopsAtWhatItClaims) {
  const std::string bomb = compressed(std::string(200 << 20, '\0'));  // 200 MiB in 200 KB
  const auto stored_bytes = static_cast<std::uint32_t>(bomb.size());
  const std::string head = capture_of({});
  for (const std::uint32_t claimed : {std::uint32_t{0}, std::uint32_t{1000}, std::uint32_t{kMaxBodyBytes}})
    EXPECT_THAT(read_back(head + frame_bytes(bomb, stored_bytes, claimed)).error,
                HasSubstr("c: damaged at byte 16: the frame's body does not decompress to the " + std::to_string(claimed)));
}

TEST(Capture, HostileBodiesAreRefused) {
  const std::string head = capture_of({});
  const auto error = [&](std::string_view body) { return read_back(head + frame_around(body)).error; };
  EXPECT_EQ(error("\0"sv), "");
  EXPECT_THAT(error(""), HasSubstr("the frame's body: "));
  EXPECT_THAT(error("\x01"), HasSubstr("the frame's body: "));
  EXPECT_THAT(error("\xff\xff\xff\x7f"), HasSubstr("the frame's body: "));
  EXPECT_THAT(error("\0x"sv), HasSubstr("the frame's body: 1 bytes too many from byte 1"));
  const std::string part =
      "\x01"
      "a"
      "\0\0\0\0\0\0\0\0"
      "\0"
      "\x02"
      "xy"s;
  EXPECT_EQ(error("\x01" + part), "");
  EXPECT_THAT(error("\x02" + part), HasSubstr("the frame's body: "));
  EXPECT_THAT(error("\x01" + part.substr(0, part.size() - 1)), HasSubstr("the frame's body: "));
}

TEST(Capture, ReadsAFrameIntoUsedBuffers) {
  test::MemoryFiles files;
  files.put("c", capture_of({windows_frame(1), linux_frame(2)}));
  auto reader = CaptureReader::open(files, "c");
  ASSERT_TRUE(reader.ok());
  RawFrame frame = linux_frame(9);
  frame.parts.push_back({"more", 1, 2, "old"});
  ASSERT_TRUE(*reader->next(frame));
  EXPECT_TRUE(frame == windows_frame(1));
  ASSERT_TRUE(*reader->next(frame));
  EXPECT_TRUE(frame == linux_frame(2));
  EXPECT_FALSE(*reader->next(frame));
  EXPECT_FALSE(*reader->next(frame));
}

}  // namespace
}  // namespace kmem::replay
