#include "exporter/http/siphash.h"

#include <bit>
#include <cstddef>

namespace kmem::http {
namespace {

struct State {
  std::uint64_t a, b, c, d;

  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      a += b;
      b = std::rotl(b, 13) ^ a;
      a = std::rotl(a, 32);
      c += d;
      d = std::rotl(d, 16) ^ c;
      a += d;
      d = std::rotl(d, 21) ^ a;
      c += b;
      b = std::rotl(b, 17) ^ c;
      c = std::rotl(c, 32);
    }
  }
  void take(std::uint64_t word) {
    d ^= word;
    rounds(2);
    a ^= word;
  }
  [[nodiscard]] std::uint64_t folded() const { return a ^ b ^ c ^ d; }
};

}  // namespace

SipHash sip_hash(const SipKey& key, std::string_view bytes) {
  State state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d ^ 0xee, key[0] ^ 0x6c7967656e657261,
              key[1] ^ 0x7465646279746573};
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (i % 8 * 8);
    if (i % 8 != 7) continue;
    state.take(word);
    word = 0;
  }
  state.take(word | std::uint64_t{bytes.size()} << 56);
  state.c ^= 0xee;
  state.rounds(4);
  const auto first = state.folded();
  state.b ^= 0xdd;
  state.rounds(4);
  return {first, state.folded()};
}

}  // namespace kmem::http
