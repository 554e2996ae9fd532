#include "exporter/encode/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string_view>

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

/// Symbols so uneven that the tree of least weight is deeper than 15.
std::string fibonacci_text() {
  std::string text;
  std::size_t a = 1, b = 1;
  for (char c = 'A'; c < 'A' + 22; ++c) {
    text.append(a, c);
    const std::size_t next = a + b;
    a = b;
    b = next;
  }
  std::shuffle(text.begin(), text.end(), std::mt19937(5));
  return text;
}

TEST(Gzip, RoundTripsWhateverStandsInIt) {
  std::mt19937 random(11);
  Gzip gzip;
  std::string packed;
  const auto check = [&](const std::string& plain) {
    ASSERT_TRUE(gzip.compress(plain, packed));
    ASSERT_EQ(unpacked(packed), plain);
  };
  check(fibonacci_text());
  for (std::size_t size = 0; size < 300; ++size) check(std::string(size, 'a'));  // about the longest match
  for (const std::size_t apart : {32'767U, 32'768U, 32'769U, 40'000U}) {         // about the farthest
    std::string far(apart - 20, '\0');
    for (char& c : far) c = static_cast<char>(random());
    check("kmem_pool_tag_bytes!" + far + "kmem_pool_tag_bytes!kmem_pool");
  }
  for (int i = 0; i < 400; ++i) {  // few symbols, many repeats, numbers within
    static constexpr std::string_view kPieces[] = {" ", "1", "23", "4567", "tag=\"", "\"} ", "\n", "kmem_pool", "\xFF", "ab"};
    std::string plain;
    for (std::size_t pieces = random() % 500; pieces > 0; --pieces) plain += kPieces[random() % std::size(kPieces)];
    check(plain);
  }
  std::string blocks;  // of more tokens than a block has
  for (int i = 0; i < 120'000; ++i) blocks += static_cast<char>('a' + random() % 26);
  check(blocks);
}

TEST(Gzip, NoiseGrowsByLittle) {
  std::mt19937 random(7);
  std::string noise(100'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  Gzip gzip;
  std::string packed;
  ASSERT_TRUE(gzip.compress(noise, packed));
  EXPECT_LT(packed.size(), noise.size() + noise.size() / 100);
  EXPECT_EQ(unpacked(packed), noise);
}

TEST(Gzip, PagesAreAboutAsSmallAsZlibMakesThemAtItsFastest) {
  std::string page;
  std::mt19937 random(9);
  for (const char* family : {"kmem_pool_tag_bytes", "kmem_pool_tag_outstanding", "kmem_pool_tag_suspect"})
    for (int tag = 0; tag < 235; ++tag)
      page += std::string(family) + "{pool=\"slab_unreclaimable\",tag=\"" + std::to_string(tag * 7919) + "_cache\"} " +
              std::to_string(random() % 100'000'000) + "\n";
  Gzip gzip;
  std::string packed;
  ASSERT_TRUE(gzip.compress(page, packed));
  uLongf zlib_size = compressBound(static_cast<uLong>(page.size()));
  std::string zlib(zlib_size, '\0');
  ASSERT_EQ(compress2(reinterpret_cast<Bytef*>(zlib.data()), &zlib_size, reinterpret_cast<const Bytef*>(page.data()),
                      static_cast<uLong>(page.size()), Z_BEST_SPEED),
            Z_OK);
  EXPECT_LT(static_cast<double>(packed.size()), static_cast<double>(zlib_size) * 1.05);
}

/// What differs from page to page is numbers, of any length, and now and then a series.
TEST(Gzip, PagesOfOneKindRoundTrip) {
  std::mt19937_64 random(11);
  const auto number = [&random]() -> std::string {
    switch (random() % 8) {
      case 0: return "0";
      case 1: return "NaN";
      case 2: return "-2.2250738585072014e-308";
      case 3: return "";
      default: return std::to_string(random() >> (random() % 64));
    }
  };
  for (const std::size_t series : {1U, 3U, 40U, 700U, 1500U}) {
    Gzip gzip;
    std::string packed;
    std::size_t without = 0;  // a series that is not there
    for (int look = 0; look < 24; ++look) {
      if (random() % 5 == 0) without = random() % (2 * series);
      std::string page = "# EOF\n\nbare\n";
      for (const char* family : {"kmem_pool_tag_bytes", "kmem_pool_tag_outstanding"}) {
        page += std::string("# HELP ") + family + " Bytes of kernel memory 1 2 3\n";
        for (std::size_t tag = 0; tag < series; ++tag)
          if (tag + 1 != without)
            page +=
                std::string(family) + "{tag=\"" + std::to_string(tag * 7919) + " cache\",pool=\"paged\"} " + number() + "\n";
      }
      if (look % 7 == 6) page += "long " + std::string(3 + random() % 60, '7') + "\n";
      if (look % 11 == 10) page += "no end 12";
      ASSERT_TRUE(gzip.compress_page(page, packed));
      ASSERT_EQ(unpacked(packed), page) << series << " series, look " << look;
    }
  }
}

/// The text between grows until what was repeated is out of reach.
TEST(Gzip, RepeatsOfAPageMayMoveOutOfReach) {
  Gzip gzip;
  std::string packed;
  std::mt19937 random(13);
  std::string letters(28'000, ' ');
  for (char& c : letters) c = static_cast<char>('a' + random() % 26);
  for (int digits = 1; digits < 25; ++digits) {
    for (int look = 0; look < 3; ++look) {
      std::string page = "remarkable_name 1\n";
      for (std::size_t i = 0; i < 280; ++i)
        page += letters.substr(i * 100, 100) + " " + std::string(static_cast<std::size_t>(digits), '5') + "\n";
      page += "remarkable_name 1\n";
      ASSERT_TRUE(gzip.compress_page(page, packed));
      ASSERT_EQ(unpacked(packed), page) << digits;
    }
  }
}

TEST(Gzip, SteadyPagesAreNoLargerThanNewOnes) {
  Gzip steady, fresh;
  std::string by_steady, by_fresh, page;
  for (int look = 0; look < 3; ++look) {
    page.clear();
    for (const char* family : {"kmem_pool_tag_bytes", "kmem_pool_tag_outstanding", "kmem_pool_tag_suspect"})
      for (int tag = 0; tag < 235; ++tag)
        page += std::string(family) + "{pool=\"slab_unreclaimable\",tag=\"" + std::to_string(tag * 7919) + "_cache\"} " +
                std::to_string(std::mt19937(static_cast<unsigned>(tag + look))() % 100'000'000) + "\n";
    ASSERT_TRUE(steady.compress_page(page, by_steady));
  }
  ASSERT_TRUE(fresh.compress(page, by_fresh));
  EXPECT_LT(static_cast<double>(by_steady.size()), static_cast<double>(by_fresh.size()) * 1.02);
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
