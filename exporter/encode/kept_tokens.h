// STAGE 5, inside: a page of metrics -> its tokens, by those of a page that differed in numbers only. Text between two
// numbers is told apart once; a match names the piece it repeats, so that its distance follows the numbers' lengths.
// Every byte is compared, so that the page may be any text. Thread: one caller at a time. Failure: take() says no.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/encode/deflate_tokens.h"

namespace kmem::encode {

class KeptTokens {
 public:
  /// Whether the page is written by what is kept: from the third page of a kind on. Else it is looked at for the next.
  bool take(std::string_view page);
  [[nodiscard]] std::size_t blocks() const { return blocks_.size(); }
  /// Of one block of the page taken; gives their number and counts them.
  std::size_t tokens_of(std::size_t block, std::string_view page, std::array<std::uint32_t, kBlockTokens>& tokens,
                        LiteralCounts& literals, DistanceCounts& distances) const;

 private:
  static constexpr std::size_t kMostPage = std::size_t{512} << 10, kMostNumber = 24;

  /// Text that ends where a number begins, or at the page's end.
  struct Piece {
    std::uint32_t end = 0;         // in text_
    std::uint32_t tokens_end = 0;  // in tokens_
    std::uint32_t number_at = 0;   // in the page
    std::uint32_t number_size = 0;
    std::uint32_t shift = 0;  // how much farther back it begins in the page than in text_
  };
  struct Match {
    std::uint32_t token = 0;
    std::uint32_t from = 0, to = 0;  // pieces
    std::uint32_t distance = 0;      // in text_
  };
  struct Block {
    std::size_t pieces_end = 0, matches_end = 0;
    LiteralCounts literals{};
  };

  bool fits(std::string_view page);
  bool place_matches();
  void split(std::string_view page);
  void learn();
  void learn_piece(std::size_t piece, std::vector<std::uint32_t>& heads, std::vector<std::uint32_t>& before);
  void make_blocks();
  void forget();

  std::string text_;  // the page without its numbers
  std::vector<Piece> pieces_;
  std::vector<std::uint32_t> tokens_;
  std::vector<Match> matches_;
  std::vector<Block> blocks_;  // empty: not learnt
};

}  // namespace kmem::encode
