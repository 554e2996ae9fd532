#include "collectors/windows/session_pool_tags.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::windows {
namespace {

using test::NtBytes;
using testing::ElementsAre;
using testing::IsEmpty;

struct Tag {
  std::string tag;
  std::uint32_t allocs, frees;
  std::uint64_t used;
};

class SessionPoolTags : public testing::TestWithParam<std::uint8_t> {
 protected:
  [[nodiscard]] bool x86() const { return GetParam() == 4; }
  [[nodiscard]] std::size_t stride() const { return x86() ? 28 : 40; }

  std::string rows(const std::vector<Tag>& tags) const {
    NtBytes bytes(tags.size() * stride());
    for (std::size_t i = 0; i < tags.size(); ++i) {
      const std::size_t at = i * stride();
      bytes.text(at, tags[i].tag).put(at + 4, tags[i].allocs).put(at + 8, tags[i].frees);
      bytes.word(at + (x86() ? 12 : 16), tags[i].used, GetParam());
    }
    return bytes.str();
  }
  /// Offset to the next (0 = the last), session, count, rows.
  std::string block(std::uint64_t next, std::uint32_t session, std::uint32_t count, const std::string& body) const {
    NtBytes bytes(x86() ? 12 : 16);
    bytes.word(0, next, GetParam()).put(x86() ? 4 : 8, session).put(x86() ? 8 : 12, count);
    return bytes.str() + body;
  }
  std::string unchained(std::uint32_t session, std::uint32_t count, const std::string& body) const {
    return NtBytes(8).put(0, session).put(4, count).str() + body;
  }
  std::size_t head() const { return x86() ? 12 : 16; }

  std::vector<std::string> parse(const std::string& bytes, std::uint64_t skipped = 0) const {
    std::vector<SessionTagUsage> found;
    const auto result = parse_session_pool_tags(std::as_bytes(std::span(bytes)), GetParam(), found);
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result ? *result : 99, skipped);
    std::vector<std::string> out;
    for (const SessionTagUsage& row : found)
      out.push_back(std::to_string(row.session) + " " + std::string(pool_name(row.usage.pool)) + " " + row.usage.tag + " " +
                    std::to_string(row.usage.bytes) + " " + std::to_string(row.usage.outstanding));
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Both, SessionPoolTags, testing::Values(std::uint8_t{4}, std::uint8_t{8}));

TEST_P(SessionPoolTags, EverySessionOfTheChainWithGapsBetweenThem) {
  const std::string first = rows({{"Gh05", 12, 2, 81'920}, {"Ustm", 5, 5, 0}}), second = rows({{"Usqu", 3, 1, 640}});
  const std::uint64_t next = head() + first.size() + 8;
  EXPECT_THAT(parse(block(next, 1, 2, first) + std::string(8, '\xee') + block(0, 7, 1, second)),
              ElementsAre("1 paged Gh05 81920 10", "7 paged Usqu 640 2"));
}

TEST_P(SessionPoolTags, BytesBehindTheLastBlockAreNothing) {
  EXPECT_THAT(parse(block(0, 0, 1, rows({{"Gh05", 2, 1, 16}})) + std::string(500, '\0')), ElementsAre("0 paged Gh05 16 1"));
}

TEST_P(SessionPoolTags, ALinkThatLeadsBackIntoTheHeadOrOutIsCutAndCounted) {
  const std::string body = rows({{"Gh05", 2, 1, 16}});
  const std::uint64_t next = head() + body.size();
  for (const std::uint64_t lie : {std::uint64_t{1}, std::uint64_t{head() - 1}, std::uint64_t{100'000}})
    EXPECT_THAT(parse(block(next, 1, 1, body) + block(lie, 2, 1, body), 1), ElementsAre("1 paged Gh05 16 1")) << lie;
}

TEST_P(SessionPoolTags, ACountThatLiesGivesTheRowsThatFit) {
  const std::string body = rows({{"Gh05", 2, 1, 16}, {"Usqu", 3, 1, 640}});
  EXPECT_THAT(parse(block(0, 1, 2000, body), 1998), ElementsAre("1 paged Gh05 16 1", "1 paged Usqu 640 2"));
  // A block does not reach into the next one.
  EXPECT_THAT(
      parse(block(head() + stride(), 1, 2, rows({{"Gh05", 2, 1, 16}})) + block(0, 2, 1, rows({{"Usqu", 3, 1, 640}})), 1),
      ElementsAre("1 paged Gh05 16 1", "2 paged Usqu 640 2"));
}

TEST_P(SessionPoolTags, ASessionThatComesTwiceIsRefused) {
  const std::string body = rows({{"Gh05", 2, 1, 16}});
  EXPECT_THAT(parse(block(head() + body.size(), 3, 1, body) + block(0, 3, 1, body), 1), ElementsAre("3 paged Gh05 16 1"));
}

TEST_P(SessionPoolTags, ATornRowIsCounted) {
  EXPECT_THAT(parse(block(0, 1, 1, rows({{"Torn", 1, 2, 48}})), 1), ElementsAre("1 paged Torn 48 0"));
}

TEST_P(SessionPoolTags, BlocksWithoutOffsetsAreReadWhenTheyFillTheBytes) {
  for (const std::uint32_t session : {0u, 1u, 16u, 20u}) {
    const std::string one = unchained(session, 2, rows({{"Gh05", 12, 2, 81'920}, {"Usqu", 3, 1, 640}}));
    const std::string at = std::to_string(session);
    EXPECT_THAT(parse(one), ElementsAre(at + " paged Gh05 81920 10", at + " paged Usqu 640 2"));
    EXPECT_THAT(parse(one + unchained(77, 1, rows({{"Ustm", 2, 1, 8}}))),
                ElementsAre(at + " paged Gh05 81920 10", at + " paged Usqu 640 2", "77 paged Ustm 8 1"));
  }
}

TEST_P(SessionPoolTags, NoSessionIsFineAndHalfAHeadIsNot) {
  EXPECT_THAT(parse(""), IsEmpty());
  EXPECT_THAT(parse(block(0, 1, 0, "")), IsEmpty());
  std::vector<SessionTagUsage> found;
  const std::string half(7, '\0');
  const auto refused = parse_session_pool_tags(std::as_bytes(std::span(half)), GetParam(), found);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "session pool tags of 7 bytes");
}

TEST_P(SessionPoolTags, AnEndlessChainIsBounded) {
  std::string bytes;
  for (std::uint32_t session = 0; session < kMaxSessions + 5; ++session) bytes += block(head(), session, 0, "");
  EXPECT_THAT(parse(bytes, 1), IsEmpty());
}

}  // namespace
}  // namespace kmem::windows
