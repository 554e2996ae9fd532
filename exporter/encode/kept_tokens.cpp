#include "exporter/encode/kept_tokens.h"

#include <algorithm>
#include <cstring>

namespace kmem::encode {
namespace {

constexpr unsigned kPieceHashBits = 12;
constexpr int kCandidates = 4;
// Distances grow with the numbers between.
constexpr std::size_t kFarthestKept = kWindow - 1024;

}  // namespace

bool KeptTokens::take(std::string_view page) {
  if (!fits(page)) {
    split(page);
    return false;
  }
  if (blocks_.empty()) learn();
  if (!blocks_.empty() && place_matches()) return true;
  forget();
  return false;
}

void KeptTokens::forget() {
  text_.clear();
  pieces_.clear();
  tokens_.clear();
  matches_.clear();
  blocks_.clear();
}

/// Notes where the numbers are.
bool KeptTokens::fits(std::string_view page) {
  if (pieces_.empty()) return false;
  const char* at = page.data();
  const char* const end = at + page.size();
  std::uint32_t start = 0, shift = 0;
  for (Piece& piece : pieces_) {
    const std::uint32_t size = piece.end - start;
    if (static_cast<std::size_t>(end - at) < size || std::memcmp(at, text_.data() + start, size) != 0) return false;
    at += size;
    const char* const most = at + std::min<std::ptrdiff_t>(end - at, kMostNumber + 1);
    const char* number_end = at;
    while (number_end != most && *number_end != '\n') ++number_end;
    piece.number_at = static_cast<std::uint32_t>(at - page.data());
    piece.number_size = static_cast<std::uint32_t>(number_end - at);
    if (piece.number_size > kMostNumber) return false;
    piece.shift = shift;
    shift += piece.number_size;
    at = number_end;
    start = piece.end;
  }
  return at == end;
}

/// What stands behind a line's last blank is a number; a line that begins with # has none.
void KeptTokens::split(std::string_view page) {
  forget();
  if (page.empty() || page.size() > kMostPage) return;
  std::size_t from = 0;
  const auto piece_to = [&](std::size_t end) {
    text_.append(page.substr(from, end - from));
    pieces_.emplace_back().end = static_cast<std::uint32_t>(text_.size());
  };
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t end = std::min(page.find('\n', at), page.size());
    if (page[at] != '#' && end != at) {
      const std::size_t blank = page.rfind(' ', end - 1);
      if (blank != std::string_view::npos && blank >= at) {
        piece_to(blank + 1);
        from = end;
      }
    }
    at = end + 1;
  }
  piece_to(page.size());
}

void KeptTokens::learn() {
  constexpr std::uint32_t kNone = UINT32_MAX;
  std::vector<std::uint32_t> heads(std::size_t{1} << kPieceHashBits, kNone), before(text_.size(), kNone);
  for (std::size_t piece = 0; piece < pieces_.size(); ++piece) learn_piece(piece, heads, before);
  make_blocks();
}

void KeptTokens::learn_piece(std::size_t piece, std::vector<std::uint32_t>& heads, std::vector<std::uint32_t>& before) {
  const char* const text = text_.data();
  std::size_t at = piece == 0 ? 0 : pieces_[piece - 1].end;
  const std::size_t end = pieces_[piece].end;
  const auto slot = [&](std::size_t where) -> std::uint32_t& {
    return heads[(load<std::uint32_t>(text + where) * 2654435761U) >> (32 - kPieceHashBits)];
  };
  const auto note = [&](std::size_t where) {
    if (end - where < kShortest) return;  // a match stays inside of a piece
    std::uint32_t& head = slot(where);
    before[where] = head;
    head = static_cast<std::uint32_t>(where);
  };
  while (at < end) {
    std::size_t best = 0, best_from = 0, best_distance = 0;
    if (end - at >= kShortest) {
      std::uint32_t candidate = slot(at);
      for (int looked = 0; looked < kCandidates && candidate != UINT32_MAX; ++looked, candidate = before[candidate]) {
        const auto holder = std::upper_bound(pieces_.begin(), pieces_.end(), candidate,
                                             [](std::uint32_t where, const Piece& each) { return where < each.end; });
        const std::size_t distance = at - candidate;
        if (distance + pieces_[piece].shift - holder->shift > kFarthestKept) break;
        const std::size_t length =
            common(text + at, text + candidate, std::min({end - at, std::size_t{holder->end} - candidate, kLongest}));
        if (length < kShortest || length <= best) continue;
        best = length;
        best_distance = distance;
        best_from = static_cast<std::size_t>(holder - pieces_.begin());
      }
    }
    if (best == 0) {
      note(at);
      tokens_.push_back(static_cast<unsigned char>(text[at++]));
      continue;
    }
    matches_.push_back({static_cast<std::uint32_t>(tokens_.size()), static_cast<std::uint32_t>(best_from),
                        static_cast<std::uint32_t>(piece), static_cast<std::uint32_t>(best_distance)});
    tokens_.push_back(static_cast<std::uint32_t>(best << kTokenLengthAt));
    for (const std::size_t stop = at + best; at < stop; ++at) note(at);
  }
  pieces_[piece].tokens_end = static_cast<std::uint32_t>(tokens_.size());
}

/// As many pieces as fit, whatever their numbers are; none at all when one piece is too long.
void KeptTokens::make_blocks() {
  std::size_t room = 0, token = 0, match = 0;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const std::size_t need = pieces_[i].tokens_end - token + kMostNumber;
    if (need > kBlockTokens) return blocks_.clear();
    if (need > room) {
      blocks_.emplace_back();
      room = kBlockTokens;
    }
    room -= need;
    Block& block = blocks_.back();
    block.pieces_end = i + 1;
    for (; token < pieces_[i].tokens_end; ++token) {
      const std::size_t length = tokens_[token] >> kTokenLengthAt;
      ++block.literals[length == 0 ? tokens_[token] : kLengthCodes + kLengthCode[length]];
    }
    while (match < matches_.size() && matches_[match].to == i) ++match;
    block.matches_end = match;
  }
}

bool KeptTokens::place_matches() {
  for (const Match& match : matches_) {
    const std::size_t distance = std::size_t{match.distance} + pieces_[match.to].shift - pieces_[match.from].shift;
    if (distance > kWindow) return false;
    std::uint32_t& token = tokens_[match.token];
    token = match_token(token >> kTokenLengthAt, distance_code(distance), distance);
  }
  return true;
}

std::size_t KeptTokens::tokens_of(std::size_t block, std::string_view page, std::array<std::uint32_t, kBlockTokens>& tokens,
                                  LiteralCounts& literals, DistanceCounts& distances) const {
  const Block& own = blocks_[block];
  literals = own.literals;
  distances.fill(0);
  for (std::size_t i = block == 0 ? 0 : blocks_[block - 1].matches_end; i < own.matches_end; ++i)
    ++distances[tokens_[matches_[i].token] >> kTokenCodeAt & 31];
  const std::size_t first = block == 0 ? 0 : blocks_[block - 1].pieces_end;
  std::uint32_t* to = tokens.data();
  std::size_t token = first == 0 ? 0 : pieces_[first - 1].tokens_end;
  for (std::size_t i = first; i < own.pieces_end; ++i) {
    const Piece& piece = pieces_[i];
    to = std::copy(tokens_.data() + token, tokens_.data() + piece.tokens_end, to);
    token = piece.tokens_end;
    for (const char *at = page.data() + piece.number_at, *const end = at + piece.number_size; at != end; ++at) {
      const auto byte = static_cast<unsigned char>(*at);
      *to++ = byte;
      ++literals[byte];
    }
  }
  return static_cast<std::size_t>(to - tokens.data());
}

}  // namespace kmem::encode
