#include "exporter/encode/bit_writer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace kmem::encode {
namespace {

template <typename Word>
std::string written(const std::vector<std::pair<std::size_t, unsigned>>& all) {
  std::string out(2 * all.size() + 16, 'x');
  BitWriter<Word> writer(out.data());
  for (std::size_t i = 0; i < all.size(); ++i) {
    writer.put(all[i].first, all[i].second);
    if (i % 3 == 2) writer.flush();
  }
  writer.flush();
  writer.fill_byte();
  out.resize(static_cast<std::size_t>(writer.at() - out.data()));
  return out;
}

TEST(BitWriter, TheLowestBitComesFirst) {
  const std::vector<std::pair<std::size_t, unsigned>> all = {{1, 1}, {2, 2}, {0x7FFF, 15}, {0, 0}, {0x155, 9}};
  // 27 bits: 1, 10, 15 ones, 101010101, and zeros to the byte's end.
  const std::string bytes = "\xFD\xFF\x57\x05";
  EXPECT_EQ(written<std::uint64_t>(all), bytes);
  EXPECT_EQ(written<std::uint32_t>(all), bytes);
  EXPECT_EQ(written<std::uint32_t>({}), "");
}

TEST(BitWriter, IsTheSameByEitherWidth) {
  std::mt19937 random(7);
  for (std::size_t count = 1; count < 400; ++count) {
    std::vector<std::pair<std::size_t, unsigned>> all;
    for (std::size_t i = 0; i < count; ++i) {
      const unsigned bits = random() % 16;
      all.emplace_back(random() & ((1U << bits) - 1), bits);
    }
    ASSERT_EQ(written<std::uint32_t>(all), written<std::uint64_t>(all)) << count;
  }
}

template <typename Word>
std::string behind(unsigned bits) {
  std::string out(32, 'x');
  BitWriter<Word> writer(out.data());
  writer.put(1, bits / 2);
  writer.put(1, bits - bits / 2);
  writer.fill_byte();
  writer.put_bytes(0x8877665544332211, 8);
  writer.fill_byte();
  out.resize(static_cast<std::size_t>(writer.at() - out.data()));
  return out;
}

TEST(BitWriter, PutsBytesBehindAnyNumberOfBits) {
  const std::string bytes = "\x11\x22\x33\x44\x55\x66\x77\x88";
  EXPECT_EQ(behind<std::uint32_t>(3), "\x03" + bytes);
  for (unsigned bits = 2; bits <= 30; ++bits) {
    EXPECT_EQ(behind<std::uint32_t>(bits), behind<std::uint64_t>(bits)) << bits;
    EXPECT_EQ(behind<std::uint32_t>(bits).substr((bits + 7) / 8), bytes) << bits;
  }
}

}  // namespace
}  // namespace kmem::encode
