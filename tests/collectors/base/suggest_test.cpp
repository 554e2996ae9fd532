#include "collectors/base/suggest.h"

#include <gtest/gtest.h>

#include <array>

namespace kmem::base {
namespace {

constexpr std::array<std::string_view, 7> kWords = {"auto",        "linux",       "windows", "interval", "listen_addresses",
                                                    "max_tracked", "max_exported"};

TEST(Nearest, FindsDroppedAddedChangedAndSwappedLetters) {
  EXPECT_EQ(nearest("linx", kWords), "linux");
  EXPECT_EQ(nearest("linuxx", kWords), "linux");
  EXPECT_EQ(nearest("lanux", kWords), "linux");
  EXPECT_EQ(nearest("ilnux", kWords), "linux");
  EXPECT_EQ(nearest("listen_adress", kWords), "listen_addresses");
  EXPECT_EQ(nearest("max_exprted", kWords), "max_exported");
}

TEST(Nearest, IgnoresCase) { EXPECT_EQ(nearest("Windows", kWords), "windows"); }

TEST(Nearest, CountsANeighbourSwapAsOneEdit) {
  const std::array<std::string_view, 2> words = {"abdd", "abdc"};  // 2 changes, or 1 swap and nothing else
  EXPECT_EQ(nearest("abcd", words), "abdd");
  const std::array<std::string_view, 1> swapped = {"bacdef"};
  EXPECT_EQ(nearest("abcdef", swapped), "bacdef");
  const std::array<std::string_view, 1> two_swaps_of_four = {"badc"};
  EXPECT_EQ(nearest("abcd", two_swaps_of_four), std::nullopt);
}

TEST(Nearest, TheFirstOfEqualsWins) {
  const std::array<std::string_view, 2> words = {"cat", "car"};
  EXPECT_EQ(nearest("cap", words), "cat");
}

TEST(Nearest, OfEqualsTheNearestNumberWins) {
  const std::array<std::string_view, 4> words = {"TLS10", "TLS11", "TLS12", "TLS13"};
  EXPECT_EQ(nearest("TLS14", words), "TLS13");
  EXPECT_EQ(nearest("TLS22", words), "TLS12");
  EXPECT_EQ(nearest("TLS1", words), "TLS10");
}

TEST(Nearest, FinishesAnUnfinishedWordWhenThereIsOneWay) {
  EXPECT_EQ(nearest("inter", kWords), "interval");
  EXPECT_EQ(nearest("max", kWords), std::nullopt);
}

TEST(Nearest, SaysNothingRatherThanNonsense) {
  EXPECT_EQ(nearest("freebsd", kWords), std::nullopt);
  EXPECT_EQ(nearest("", kWords), std::nullopt);
  EXPECT_EQ(nearest("x", std::array<std::string_view, 1>{"y"}), std::nullopt);
  EXPECT_EQ(nearest(std::string(1'000'000, 'a'), kWords), std::nullopt);
  EXPECT_EQ(nearest("linx", {}), std::nullopt);
}

}  // namespace
}  // namespace kmem::base
