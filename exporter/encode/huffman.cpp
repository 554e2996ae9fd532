#include "exporter/encode/huffman.h"

#include <algorithm>

namespace kmem::encode {
namespace {

constexpr std::size_t kMostSymbols = 288;
constexpr unsigned kDeepest = 32;
constexpr unsigned kSymbolBits = 9;

/// How many leaves there are at each depth of the tree of least weight. `weights` rise.
std::array<std::uint32_t, kDeepest + 1> leaves_by_depth(std::span<const std::uint32_t> weights) {
  struct Node {
    std::uint32_t weight = 0;
    std::uint16_t parent = 0;
  };
  std::array<Node, kMostSymbols> inner;
  std::array<std::uint16_t, kMostSymbols> leaf_parent{};
  const std::size_t count = weights.size();
  // Both rows rise, so the two lightest stand at their heads.
  std::size_t leaf = 0, oldest = 0;
  for (std::size_t made = 0; made + 1 < count; ++made) {
    std::uint32_t weight = 0;
    for (int child = 0; child < 2; ++child) {
      if (leaf < count && (oldest == made || weights[leaf] <= inner[oldest].weight)) {
        weight += weights[leaf];
        leaf_parent[leaf++] = static_cast<std::uint16_t>(made);
      } else {
        weight += inner[oldest].weight;
        inner[oldest++].parent = static_cast<std::uint16_t>(made);
      }
    }
    inner[made].weight = weight;
  }
  std::array<std::uint8_t, kMostSymbols> depth{};
  std::array<std::uint32_t, kDeepest + 1> leaves{};
  for (std::size_t i = count - 1; i-- > 0;)
    depth[i] = i + 2 == count ? 0 : static_cast<std::uint8_t>(std::min<unsigned>(depth[inner[i].parent] + 1U, kDeepest - 1));
  for (std::size_t i = 0; i < count; ++i) ++leaves[depth[leaf_parent[i]] + 1U];
  return leaves;
}

/// Leaves that hang too low go up, and as many from above go down to make room: the code stays complete.
void limit_depth(std::array<std::uint32_t, kDeepest + 1>& leaves, unsigned longest) {
  std::uint64_t used = 0;  // of 2^longest leaves of the longest length
  for (unsigned depth = longest + 1; depth <= kDeepest; ++depth) {
    leaves[longest] += leaves[depth];
    leaves[depth] = 0;
  }
  for (unsigned depth = 1; depth <= longest; ++depth) used += std::uint64_t{leaves[depth]} << (longest - depth);
  for (const std::uint64_t room = std::uint64_t{1} << longest; used > room; --used) {
    --leaves[longest];
    unsigned depth = longest - 1;
    while (leaves[depth] == 0) --depth;
    --leaves[depth];
    leaves[depth + 1] += 2;
  }
}

std::uint16_t reversed(std::uint32_t bits, unsigned length) {
  std::uint32_t out = 0;
  for (; length > 0; --length, bits >>= 1) out = (out << 1) | (bits & 1);
  return static_cast<std::uint16_t>(out);
}

}  // namespace

void make_prefix_codes(std::span<const std::uint32_t> counts, unsigned longest, std::span<PrefixCode> codes) {
  std::array<std::uint32_t, kMostSymbols> sorted;  // count, then symbol
  std::size_t used = 0;
  for (std::size_t symbol = 0; symbol < counts.size(); ++symbol) {
    codes[symbol] = {};
    if (counts[symbol] != 0) sorted[used++] = (counts[symbol] << kSymbolBits) | static_cast<std::uint32_t>(symbol);
  }
  // A code of one symbol is one bit long, and inflaters of old want a second symbol beside it.
  for (std::uint32_t symbol = 0; used < 2; ++symbol)
    if (counts[symbol] == 0) sorted[used++] = (std::uint32_t{1} << kSymbolBits) | symbol;
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(used));

  std::array<std::uint32_t, kMostSymbols> weights;
  std::transform(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(used), weights.begin(),
                 [](std::uint32_t entry) { return entry >> kSymbolBits; });
  auto leaves = leaves_by_depth({weights.data(), used});
  limit_depth(leaves, longest);

  // The rarest get the longest; among codes of one length the symbols rise.
  std::size_t next = 0;
  for (unsigned length = longest; length > 0; --length)
    for (std::uint32_t i = 0; i < leaves[length]; ++i)
      codes[sorted[next++] & ((1U << kSymbolBits) - 1)].length = static_cast<std::uint16_t>(length);
  std::array<std::uint32_t, kDeepest + 1> first{};
  for (unsigned length = 1; length < longest; ++length) first[length + 1] = (first[length] + leaves[length]) << 1;
  for (std::size_t symbol = 0; symbol < counts.size(); ++symbol)
    if (const unsigned length = codes[symbol].length; length != 0) codes[symbol].bits = reversed(first[length]++, length);
}

}  // namespace kmem::encode
