#include "exporter/encode/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace kmem::encode {
namespace {

/// By zlib's inflate, which also checks the member's CRC and length.
std::string unpacked(const std::string& packed) {
  z_stream state{};
  EXPECT_EQ(inflateInit2(&state, 15 + 16), Z_OK);
  std::string plain(std::size_t{1} << 20, '\0');
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  state.avail_in = static_cast<uInt>(packed.size());
  state.next_out = reinterpret_cast<Bytef*>(plain.data());
  state.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&state, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(state.avail_in, 0U);
  plain.resize(plain.size() - state.avail_out);
  inflateEnd(&state);
  return plain;
}

TEST(Gzip, RoundTripsOverOneStream) {
  Gzip gzip;
  std::mt19937 random(3);
  std::string noise(200'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  std::string page;
  for (int i = 0; i < 2000; ++i) page += "kmem_pool_tag_bytes{tag=\"Even\"} " + std::to_string(i) + "\n";

  std::string packed = "what was there before";
  for (const std::string& plain : {std::string(), std::string("x"), page, noise, page, std::string(500'000, 'a')}) {
    ASSERT_TRUE(gzip.compress(plain, packed));
    EXPECT_EQ(packed.substr(0, 3), "\x1f\x8b\x08");
    EXPECT_EQ(unpacked(packed), plain);
  }
  ASSERT_TRUE(gzip.compress(page, packed));
  EXPECT_LT(packed.size() * 4, page.size());
}

TEST(Gzip, SamePageSameBytes) {
  Gzip a;
  Gzip b;
  std::string first, second;
  ASSERT_TRUE(a.compress("other page", first));
  ASSERT_TRUE(a.compress("page", first));
  ASSERT_TRUE(b.compress("page", second));
  EXPECT_EQ(first, second);
}

TEST(Gzip, RefusesWhatIsNoPage) {
  Gzip gzip;
  std::string packed = "x";
  const std::string huge((std::size_t{64} << 20) + 1, ' ');
  const auto result = gzip.compress(huge, packed);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, base::ErrorCode::kInvalid);
  EXPECT_EQ(packed, "");
}

}  // namespace
}  // namespace kmem::encode
