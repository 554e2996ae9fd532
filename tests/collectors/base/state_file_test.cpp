#include "collectors/base/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "collectors/base/checksum.h"
#include "tests/support/memory_files.h"

namespace kmem::base {
namespace {

using test::MemoryFiles;
using testing::HasSubstr;
using namespace std::string_literals;

TEST(Checksum, IsThatOfZlibAndComposes) {
  EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
  EXPECT_EQ(crc32("6789", crc32("12345")), 0xcbf43926U);
  EXPECT_EQ(crc32(""), 0U);
}

TEST(Checksum, IsZlibsForEveryLength) {
  std::string bytes;
  for (unsigned i = 0; i < 700; ++i) bytes += static_cast<char>((i * 2654435761U) >> 13);
  for (std::size_t from = 0; from < 3; ++from)
    for (std::size_t size = 0; size + from <= bytes.size(); ++size) {
      const std::string_view piece = std::string_view(bytes).substr(from, size);
      const auto* data = reinterpret_cast<const unsigned char*>(piece.data());
      ASSERT_EQ(crc32(piece), ::crc32_z(0, data, size)) << size;
      ASSERT_EQ(crc32(piece, 0x12345678U), ::crc32_z(0x12345678U, data, size)) << size;
    }
}

TEST(StateFile, HasTheBytesItPromises) {
  const std::string bytes = encode_state("TEST", 7, "pay");
  ASSERT_EQ(bytes.size(), 27U);
  EXPECT_EQ(bytes.substr(0, 23), "KMST\x07\0\0\0TEST\x03\0\0\0\0\0\0\0pay"s);
}

TEST(StateFile, GivesBackWhatWasSaved) {
  MemoryFiles files;
  const std::string payload = "a\0b"s;
  ASSERT_TRUE(save_state(files, "s", "TEST", 7, payload).ok());
  const auto loaded = load_state(files, "s", "TEST");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->version, 7U);
  EXPECT_EQ(loaded->payload, payload);
  ASSERT_TRUE(save_state(files, "s", "TEST", 8, "").ok());
  EXPECT_EQ(load_state(files, "s", "TEST")->payload, "");
}

TEST(StateFile, InPiecesIsTheSameFile) {
  MemoryFiles files;
  const auto make = [](std::size_t number, std::string& out) -> Result<bool> {
    if (number < 10) out += std::string(number * 5'000, static_cast<char>('a' + number));  // 225 KB
    return number < 10;
  };
  std::string whole;
  for (std::size_t number = 0; *make(number, whole); ++number) {}
  const std::uint64_t before = files.operations();
  ASSERT_TRUE(save_state(files, "s", "TEST", 7, make).ok());
  EXPECT_GT(files.operations() - before, 5U) << "not at once";
  EXPECT_EQ(*files.get("s"), encode_state("TEST", 7, whole));
  ASSERT_TRUE(save_state(files, "s", "TEST", 7, whole).ok());
  EXPECT_EQ(*files.get("s"), encode_state("TEST", 7, whole));
}

TEST(StateFile, PiecesThatCannotBeMadeOrChangeLeaveTheOldOne) {
  MemoryFiles files;
  ASSERT_TRUE(save_state(files, "s", "TEST", 1, "old").ok());
  int asked = 0;
  for (const bool fails : {true, false}) {
    asked = 0;
    const auto make = [&](std::size_t number, std::string& out) -> Result<bool> {
      if (number == 0) ++asked;
      if (fails && asked == 2) return Error{ErrorCode::kBusy, "gone"};
      out += number == 0 ? std::string(static_cast<std::size_t>(asked), 'x') : "";
      return number == 0;
    };
    EXPECT_FALSE(save_state(files, "s", "TEST", 1, make).ok());
    EXPECT_EQ(load_state(files, "s", "TEST")->payload, "old");
    EXPECT_EQ(files.paths(), std::vector<std::string>{"s"});
  }
}

TEST(StateFile, TellsAbsentFromDamagedFromUnreadable) {
  MemoryFiles files;
  EXPECT_EQ(load_state(files, "s", "TEST").error().code, ErrorCode::kAbsent);
  files.put("s", "rubbish");
  EXPECT_EQ(load_state(files, "s", "TEST").error().code, ErrorCode::kMalformed);
  files.fail_after(1);
  EXPECT_EQ(load_state(files, "s", "TEST").error().code, ErrorCode::kIo);
}

TEST(StateFile, EveryTruncationIsSeen) {
  const std::string bytes = encode_state("TEST", 1, "payload");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto state = decode_state(bytes.substr(0, length), "TEST");
    ASSERT_FALSE(state.ok()) << length;
    EXPECT_EQ(state.error().code, ErrorCode::kMalformed) << length;
  }
  EXPECT_FALSE(decode_state(bytes + "x", "TEST").ok());
}

TEST(StateFile, EveryFlippedBitIsSeen) {
  const std::string bytes = encode_state("TEST", 1, "payload");
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    ASSERT_FALSE(decode_state(flipped, "TEST").ok()) << bit;
  }
}

TEST(StateFile, SaysWhatIsWrongAndWhere) {
  MemoryFiles files;
  const std::string bytes = encode_state("TEST", 1, "payload");
  const auto message = [&](const std::string& content, const char* kind = "TEST") {
    files.put("dir/s", content);
    const auto loaded = load_state(files, "dir/s", kind);
    return loaded ? "fine"s : loaded.error().message;
  };
  EXPECT_EQ(message(""), "dir/s: damaged: no \"KMST\" at byte 0");
  EXPECT_EQ(message(bytes.substr(0, 10)), "dir/s: damaged: ends at byte 10, within its header");
  EXPECT_EQ(message(bytes.substr(0, 28)), "dir/s: damaged: the length at byte 12 says 7 bytes, the file holds 4");
  std::string changed = bytes;
  changed[21] = 'A';
  EXPECT_EQ(message(changed), "dir/s: damaged: the checksum at byte 27 does not match");
  EXPECT_EQ(message(bytes, "ELSE"), "dir/s: holds \"TEST\" (byte 8), not \"ELSE\"");
}

TEST(StateFile, AFailedSaveKeepsTheOldState) {
  MemoryFiles files;
  ASSERT_TRUE(save_state(files, "s", "TEST", 1, "old").ok());
  files.fail_after(1);
  EXPECT_FALSE(save_state(files, "s", "TEST", 1, "new").ok());
  files.repair();
  EXPECT_EQ(load_state(files, "s", "TEST")->payload, "old");
}

TEST(StateFile, IsBounded) {
  MemoryFiles files;
  EXPECT_EQ(save_state(files, "s", "TEST", 1, std::string(kMaxStateBytes, 'x')).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(files.get("s"), nullptr);
  files.put("s", std::string(kMaxStateBytes + 1, 'x'));
  const auto loaded = load_state(files, "s", "TEST");
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kMalformed);
  EXPECT_THAT(loaded.error().message, HasSubstr("s: longer than the "));
}

TEST(StateFile, RefusesAKindThatIsNone) {
  MemoryFiles files;
  EXPECT_EQ(save_state(files, "s", "LONGER", 1, "").error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace kmem::base
