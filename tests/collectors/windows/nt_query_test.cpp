#include "collectors/windows/nt_query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace kmem::windows {
namespace {

/// Answers call by call from a script and notes the sizes it was given.
class ScriptedQuery final : public NtQuery {
 public:
  struct Step {
    NtStatus status;
    std::uint32_t needed_bytes;
  };
  explicit ScriptedQuery(std::vector<Step> steps) : steps_(std::move(steps)) {}

  NtStatus query(std::uint32_t info_class, std::span<std::byte> buffer, std::uint32_t& needed_bytes) override {
    info_classes.push_back(info_class);
    sizes.push_back(buffer.size());
    const Step step = steps_[std::min(sizes.size(), steps_.size()) - 1];
    needed_bytes = step.needed_bytes;
    if (succeeded(step.status)) std::fill(buffer.begin(), buffer.end(), std::byte{'x'});
    return step.status;
  }

  std::vector<std::uint32_t> info_classes;
  std::vector<std::size_t> sizes;

 private:
  std::vector<Step> steps_;
};

using Sizes = std::vector<std::size_t>;

TEST(ReadAll, FirstTryGivesExactlyWhatWasFilled) {
  ScriptedQuery query({{kStatusOk, 300}});
  std::string answer;
  EXPECT_EQ(read_all(query, 22, 1000, answer), kStatusOk);
  EXPECT_EQ(answer, std::string(300, 'x'));
  EXPECT_EQ(query.info_classes, std::vector<std::uint32_t>{22});
  EXPECT_EQ(query.sizes, Sizes{1000});
}

TEST(ReadAll, GrowsByNeedPlusAQuarter) {
  ScriptedQuery query({{kStatusLengthMismatch, 10'000}, {kStatusOk, 10'100}});
  std::string answer;
  EXPECT_EQ(read_all(query, 5, 1000, answer), kStatusOk);
  EXPECT_EQ(query.sizes, (Sizes{1000, 12'500}));
  EXPECT_EQ(answer.size(), 10'100u);
}

TEST(ReadAll, DoublesWhenTheNeedIsUnknownOrThatOfOneEntry) {
  ScriptedQuery query({{kStatusLengthMismatch, 0},
                       {kStatusLengthMismatch, 48},
                       {kStatusBufferTooSmall, 1990},
                       {kStatusBufferOverflow, 0},
                       {kStatusOk, 9000}});
  std::string answer;
  EXPECT_EQ(read_all(query, 22, 1000, answer), kStatusOk);
  EXPECT_EQ(query.sizes, (Sizes{1000, 2000, 4000, 8000, 16'000}));
  EXPECT_EQ(answer.size(), 9000u);
}

TEST(ReadAll, GivesUpAfterEightTries) {
  ScriptedQuery query({{kStatusLengthMismatch, 0}});
  std::string answer = "old";
  EXPECT_EQ(read_all(query, 22, 1000, answer), kStatusLengthMismatch);
  EXPECT_EQ(query.sizes.size(), 8u);
  EXPECT_EQ(query.sizes.back(), 128'000u);
  EXPECT_TRUE(answer.empty());
}

TEST(ReadAll, NeverAsksWithMoreThanTheCap) {
  ScriptedQuery query({{kStatusLengthMismatch, 0xffffffff}});
  std::string answer;
  EXPECT_EQ(read_all(query, 22, 1000, answer), kStatusLengthMismatch);
  EXPECT_EQ(query.sizes, (Sizes{1000, 16 << 20}));
}

TEST(ReadAll, OtherStatusesAreNotTriedAgain) {
  for (const NtStatus status : {kStatusInvalidInfoClass, kStatusNotImplemented, kStatusAccessDenied}) {
    ScriptedQuery query({{status, 0}});
    std::string answer = "old";
    EXPECT_EQ(read_all(query, 255, 1000, answer), status);
    EXPECT_EQ(query.sizes.size(), 1u);
    EXPECT_TRUE(answer.empty());
  }
}

TEST(ReadAll, NextReadingStartsWithTheSizeThatSufficed) {
  ScriptedQuery query({{kStatusLengthMismatch, 10'000}, {kStatusOk, 10'000}, {kStatusOk, 9'000}});
  std::string answer;
  read_all(query, 22, 1000, answer);
  EXPECT_EQ(read_all(query, 22, 1000, answer), kStatusOk);
  EXPECT_GE(query.sizes[2], 12'500u);
  EXPECT_EQ(answer.size(), 9'000u);
}

TEST(ReadAll, NextReadingHasRoomForAQuarterMoreThanTheLastAnswer) {
  ScriptedQuery query({{kStatusOk, 8'000}, {kStatusOk, 8'100}, {kStatusLengthMismatch, 13'000}, {kStatusOk, 13'000}});
  std::string answer;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read_all(query, 22, 128'000, answer), kStatusOk);
  EXPECT_EQ(query.sizes, (Sizes{128'000, 12'048, 12'173, 24'346}));
  EXPECT_EQ(answer.size(), 13'000u);
}

TEST(ReadAll, AKernelThatTellsNoLengthIsNotAskedWithMoreEachTime) {
  ScriptedQuery query({{kStatusOk, 0}});
  std::string answer;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read_all(query, 5, 100'000, answer), kStatusOk);
  ASSERT_EQ(query.sizes.size(), 3U);
  for (const std::size_t size : query.sizes) EXPECT_TRUE(size >= 100'000 && size < 101'000) << size;  // a string rounds up
}

TEST(ReadAll, AnAnswerLongerThanTheBufferIsNotBelieved) {
  ScriptedQuery query({{kStatusOk, 5000}});
  std::string answer;
  EXPECT_EQ(read_all(query, 5, 1000, answer), kStatusOk);
  EXPECT_EQ(answer.size(), 1000u);
}

TEST(ReadAll, SuccessWithoutALengthKeepsTheWholeBuffer) {
  ScriptedQuery query({{kStatusOk, 0}});
  std::string answer;
  EXPECT_EQ(read_all(query, 5, 1000, answer), kStatusOk);
  EXPECT_EQ(answer.size(), 1000u);
}

TEST(ReadFixed, AsksOnceWithTheExactSize) {
  ScriptedQuery good({{kStatusOk, 312}});
  std::string answer(5000, 'o');
  EXPECT_EQ(read_fixed(good, 2, 376, answer), kStatusOk);
  EXPECT_EQ(good.sizes, Sizes{376});
  EXPECT_EQ(answer, std::string(312, 'x'));

  ScriptedQuery bad({{kStatusLengthMismatch, 64}});
  EXPECT_EQ(read_fixed(bad, 0, 44, answer), kStatusLengthMismatch);
  EXPECT_EQ(bad.sizes, Sizes{44});
  EXPECT_TRUE(answer.empty());
}

TEST(NtStatusText, IsHexAsMicrosoftPrintsIt) {
  EXPECT_EQ(status_text(kStatusAccessDenied), "0xc0000022");
  EXPECT_EQ(status_text(5), "0x00000005");
}

}  // namespace
}  // namespace kmem::windows
