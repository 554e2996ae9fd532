#include "collectors/history/line_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace kmem::history {
namespace {

using testing::ElementsAre;

/// Gives its bytes a few at a time.
class SlowFile final : public base::File {
 public:
  SlowFile(std::string bytes, std::size_t step) : bytes_(std::move(bytes)), step_(step) {}
  base::Result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t length = std::min({into.size(), step_, bytes_.size() - at_});
    std::memcpy(into.data(), bytes_.data() + at_, length);
    at_ += length;
    return length;
  }
  base::Result<void> append(std::string_view) override { return {}; }
  base::Result<void> truncate(std::uint64_t) override { return {}; }
  base::Result<void> sync() override { return {}; }

 private:
  std::string bytes_;
  std::size_t step_;
  std::size_t at_ = 0;
};

std::vector<std::string> lines_of(const std::string& bytes, std::size_t step, std::size_t max = kMaxLineBytes) {
  LineReader reader(std::make_unique<SlowFile>(bytes, step), max);
  std::vector<std::string> lines;
  for (;;) {
    const auto state = reader.next();
    if (!state || *state == LineState::kEnd) return lines;
    lines.push_back((*state == LineState::kTooLong ? "!" : "") + std::string(reader.line()));
    EXPECT_EQ(reader.number(), lines.size());
  }
}

TEST(LineReader, LinesHoweverTheBytesCome) {
  for (const std::size_t step : {3U, 4U, 1000U}) {
    EXPECT_THAT(lines_of("\xef\xbb\xbf"
                         "ab\r\n\n cd\nlast",
                         step),
                ElementsAre("ab", "", " cd", "last"));
    EXPECT_THAT(lines_of("ab\n", step), ElementsAre("ab"));
    EXPECT_THAT(lines_of("", step), ElementsAre());
  }
}

TEST(LineReader, Utf16BecomesSingleBytes) {
  const std::string wide(
      "\xff\xfe"
      "a\0\xe9\0\r\0\n\0\x20\x26"
      "b\0x",
      15);
  for (const std::size_t step : {2U, 3U, 5U, 1000U})
    EXPECT_THAT(lines_of(wide, step), ElementsAre("a\xe9",
                                                  "\xe2\x98\xa0"
                                                  "b"))
        << step;
}

TEST(LineReader, ALongLineIsCutAndTheNextOneWhole) {
  EXPECT_THAT(lines_of("12345\n123456\n1\n", 4, 5), ElementsAre("12345", "!12345", "1"));
  EXPECT_THAT(lines_of("1234567890123", 4, 5), ElementsAre("!12345"));
}

}  // namespace
}  // namespace kmem::history
