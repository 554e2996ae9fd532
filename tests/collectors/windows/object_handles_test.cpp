#include "collectors/windows/object_handles.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "collectors/handle_table.h"
#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::windows {
namespace {

using test::NtBytes;

struct HandleRow {
  std::uint64_t pid;
  std::uint16_t type;
};

NtBytes table64(int width, const std::vector<HandleRow>& rows, std::uint64_t claimed) {
  const std::size_t head = width == 4 ? 8 : 16, stride = width == 4 ? 28 : 40;
  NtBytes bytes(head + rows.size() * stride);
  bytes.word(0, claimed, width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t at = head + i * stride;
    bytes.word(at + (width == 4 ? 4 : 8), rows[i].pid, width).put(at + (width == 4 ? 18 : 30), rows[i].type);
  }
  return bytes;
}

NtBytes table16(int width, const std::vector<HandleRow>& rows, std::uint32_t claimed) {
  const std::size_t head = width == 4 ? 4 : 8, stride = width == 4 ? 16 : 24;
  NtBytes bytes(head + rows.size() * stride);
  bytes.put(0, claimed);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    bytes.put(head + i * stride, static_cast<std::uint16_t>(rows[i].pid));
    bytes.put(head + i * stride + 4, static_cast<std::uint8_t>(rows[i].type));
  }
  return bytes;
}

/// Names with their handles and, from 8.1 on, their index; behind each entry its name.
NtBytes type_list(int width, const std::vector<std::tuple<std::string, std::uint32_t, std::uint8_t>>& all) {
  const std::size_t entry = width == 4 ? 96 : 104, word = static_cast<std::size_t>(width);
  NtBytes bytes(word);
  bytes.put(0, static_cast<std::uint32_t>(all.size()));
  std::size_t at = word;
  for (const auto& [name, handles, index] : all) {
    const auto length = static_cast<std::uint16_t>(2 * name.size());
    bytes.put(at, length).put(at + 2, static_cast<std::uint16_t>(length + 2));
    bytes.put(at + (width == 4 ? 12 : 20), handles).put(at + (width == 4 ? 82 : 90), index);
    for (std::size_t i = 0; i < name.size(); ++i) bytes.put(at + entry + 2 * i, static_cast<std::uint16_t>(name[i]));
    bytes.put(at + entry + length, std::uint16_t{0});
    at += entry + (static_cast<std::size_t>(length) + 2 + word - 1) / word * word;
    bytes.put(at - 1, std::uint8_t{0});
  }
  return bytes;
}

std::vector<ObjectTypeName> known_types(int width,
                                        const std::vector<std::tuple<std::string, std::uint32_t, std::uint8_t>>& all) {
  const auto parsed = parse_object_types(type_list(width, all).span(), static_cast<std::uint8_t>(width));
  EXPECT_TRUE(parsed.ok());
  return parsed ? *parsed : std::vector<ObjectTypeName>();
}

class ObjectHandlesTest : public testing::TestWithParam<int> {};

TEST_P(ObjectHandlesTest, EveryHandleIsCountedByProcessAndType) {
  const int width = GetParam();
  const auto known = known_types(width, {{"Type", 9, 2}, {"Event", 3, 17}, {"File", 1, 40}});
  ASSERT_EQ(known.size(), 3U);
  EXPECT_EQ(known[1].name, "Event");
  EXPECT_EQ(known[1].index, 17U);
  EXPECT_EQ(known[1].handles, 3U);
  const auto text = count_handles(table64(width, {{1234, 17}, {88, 40}, {1234, 17}, {88, 17}, {1234, 99}}, 5).span(), 64,
                                  static_cast<std::uint8_t>(width), known, {});
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "handles=5\nskipped=0\n1234 2 Event\n88 1 Event\n88 1 File\n1234 1 type 99\n");
  std::vector<ObjectHandles> rows;
  EXPECT_EQ(parse_handle_counts(*text, rows).value(), 0U);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].pid, 1234U);
  EXPECT_EQ(rows[0].type, "Event");
  EXPECT_EQ(rows[0].handles, 2U);
  EXPECT_EQ(rows[3].type, "type 99");
}

TEST_P(ObjectHandlesTest, TypesWithoutAnIndexBeginWhereTheirCountsFit) {
  const int width = GetParam();
  const auto known = known_types(width, {{"Type", 0, 0}, {"Event", 3, 0}, {"File", 1, 0}});
  for (const std::uint16_t first : {std::uint16_t{1}, std::uint16_t{2}}) {
    const auto event = static_cast<std::uint16_t>(first + 1), file = static_cast<std::uint16_t>(first + 2);
    const auto text = count_handles(table16(width, {{4, event}, {4, event}, {4, event}, {8, file}}, 4).span(), 16,
                                    static_cast<std::uint8_t>(width), known, {});
    EXPECT_EQ(text.value(), "handles=4\nskipped=0\n4 3 Event\n8 1 File\n") << first;
  }
}

TEST_P(ObjectHandlesTest, SixteenBitsOfAnIdAreMadeWholeWhereOneProcessHasThem) {
  const int width = GetParam();
  const std::vector<std::uint64_t> pids = {4, 65'540 + 96, 131'072 + 7, 65'536 + 7};
  const auto text =
      count_handles(table16(width, {{100, 1}, {7, 1}, {4, 1}}, 3).span(), 16, static_cast<std::uint8_t>(width), {}, pids);
  EXPECT_EQ(text.value(), "handles=3\nskipped=0\n4 1 type 1\n7 1 type 1\n65636 1 type 1\n");
}

TEST_P(ObjectHandlesTest, ALyingCountAndATornTableCostOnlyTheirRows) {
  const int width = GetParam();
  NtBytes lying = table64(width, {{1, 5}, {1, 5}}, 4'000'000'000ULL);
  EXPECT_EQ(count_handles(lying.span(), 64, static_cast<std::uint8_t>(width), {}, {}).value(),
            "handles=2\nskipped=3999999998\n1 2 type 5\n");
  const std::string whole = table64(width, {{1, 5}, {1, 5}}, 2).str();
  const std::string torn = whole.substr(0, whole.size() - 1);
  EXPECT_EQ(count_handles(std::as_bytes(std::span(torn)), 64, static_cast<std::uint8_t>(width), {}, {}).value(),
            "handles=1\nskipped=1\n1 1 type 5\n");
  EXPECT_FALSE(count_handles(std::as_bytes(std::span(torn)).first(3), 64, static_cast<std::uint8_t>(width), {}, {}).ok());
  const std::string list = type_list(width, {{"Event", 1, 7}, {"File", 1, 8}}).str();
  const auto cut = parse_object_types(std::as_bytes(std::span(list)).first(list.size() - 12), static_cast<std::uint8_t>(width));
  EXPECT_EQ(cut.value().size(), 1U);
}

TEST_P(ObjectHandlesTest, ATableOfAnotherLayoutIsRefused) {
  const int width = GetParam();
  const auto bytes_of_pointer = static_cast<std::uint8_t>(width);
  const std::vector<std::uint64_t> pids = {4, 1000, 1004};
  const std::vector<HandleRow> rows = {{4, 7}, {1000, 7}, {1000, 8}, {1004, 8}};
  const std::string good64 = table64(width, rows, 4).str(), good16 = table16(width, rows, 4).str();
  const auto count = [&](const std::string& bytes, std::uint32_t info_class) {
    return count_handles(std::as_bytes(std::span(bytes)), info_class, bytes_of_pointer, {}, pids);
  };
  EXPECT_EQ(count(good64, 64).value(), "handles=4\nskipped=0\n4 1 type 7\n1000 1 type 7\n1000 1 type 8\n1004 1 type 8\n");
  EXPECT_TRUE(count(good16, 16).ok());
  // A field more or less in head or row, or the other class' table.
  const std::size_t word = static_cast<std::size_t>(width);
  const std::string longer_head = good64.substr(0, 2 * word) + std::string(word, '\x01') + good64.substr(2 * word);
  const std::string shorter_head = good64.substr(0, word) + good64.substr(2 * word) + std::string(word, '\0');
  for (const std::string& bytes : {longer_head, shorter_head, good16 + std::string(64, '\0')})
    EXPECT_FALSE(count(bytes, 64).ok());
  EXPECT_FALSE(count(good64, 16).ok());
  // One that has ended since the list of processes was read is no other layout.
  EXPECT_TRUE(count(table64(width, {{4, 7}, {1000, 7}, {77, 7}}, 3).str(), 64).ok());
  EXPECT_EQ(count_handles(std::as_bytes(std::span(good16)), 16, bytes_of_pointer, {}, {}, 3).value().substr(0, 20),
            "handles=4\nskipped=3\n");
}

TEST_P(ObjectHandlesTest, TypesOfAnotherLayoutNameNothing) {
  const int width = GetParam();
  const auto parse = [&](const std::string& bytes) {
    return parse_object_types(std::as_bytes(std::span(bytes)), static_cast<std::uint8_t>(width));
  };
  const auto list = [&](std::uint8_t first, std::uint8_t second) {
    return type_list(width, {{"Event", 1, first}, {"ALPC Port", 1, second}}).str();
  };
  EXPECT_EQ(parse(list(7, 8)).value().size(), 2U);
  EXPECT_EQ(parse(list(8, 7)).value().size(), 2U);
  EXPECT_EQ(parse(list(0, 0)).value().size(), 2U);
  EXPECT_FALSE(parse(list(7, 7)).ok()) << "two types of one index";
  EXPECT_FALSE(parse(list(7, 0)).ok()) << "one of two has no index";
  EXPECT_FALSE(parse(list(0, 7)).ok());
  // A row that is 4 bytes longer or shorter: what is behind it is no name.
  const std::size_t head = static_cast<std::size_t>(width), name = head + (width == 4 ? 96 : 104);
  const std::string good = list(7, 8);
  for (const std::string& bytes :
       {good.substr(0, name) + std::string(4, '\0') + good.substr(name), good.substr(0, name - 4) + good.substr(name)}) {
    const auto parsed = parse(bytes);
    EXPECT_TRUE(!parsed || parsed->empty() || parsed->size() == 1);
    const std::vector<ObjectTypeName> named = parsed ? *parsed : std::vector<ObjectTypeName>();
    for (const ObjectTypeName& type : named) EXPECT_EQ(type.name, "Event");
  }
  EXPECT_FALSE(parse(good.substr(0, name) + std::string(4, '\0') + good.substr(name)).ok());
}

INSTANTIATE_TEST_SUITE_P(Widths, ObjectHandlesTest, testing::Values(4, 8));

TEST(ObjectHandles, TheTextIsReadAsItIsWrittenAndWhatIsNoRowIsCounted) {
  std::vector<ObjectHandles> rows;
  EXPECT_EQ(parse_handle_counts("handles=9\nskipped=3\n12 5 ALPC Port\nx 1 Event\n12 Event\n12 1 \n", rows).value(), 6U);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].type, "ALPC Port");
  EXPECT_FALSE(parse_handle_counts("", rows).ok());
  EXPECT_FALSE(parse_handle_counts("1 2 Event\n", rows).ok());
}

TEST(ObjectHandles, ManyProcessesAreCutToTheLeaders) {
  std::vector<HandleRow> all;
  for (std::uint64_t pid = 1; pid <= 600; ++pid) all.push_back({pid, 3});
  all.push_back({600, 3});
  const auto text = count_handles(table64(8, all, all.size()).span(), 64, 8, {}, {});
  std::vector<ObjectHandles> rows;
  EXPECT_EQ(parse_handle_counts(text.value(), rows).value(), 0U);
  EXPECT_EQ(rows.size(), kMaxHandleRows);
  EXPECT_EQ(rows[0].pid, 600U);
}

}  // namespace
}  // namespace kmem::windows
