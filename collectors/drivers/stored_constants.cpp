#include "collectors/drivers/stored_constants.h"

namespace kmem::drivers {

Piece piece_of(std::uint32_t value) {
  int length = 0;
  for (; (value & 0xFF) != 0; value >>= 8, ++length)
    if ((value & 0xFF) < 0x20 || (value & 0xFF) > 0x7E) return Piece::kNone;
  if (value != 0) return Piece::kNone;
  return length == 4 ? Piece::kWhole : length < 2 ? Piece::kEnd : Piece::kTail;
}

StoredConstants::Store& StoredConstants::slot(const Place& place) {
  bases_ |= 1U << place.reg;
  for (Store& store : stores_)
    if (store.place == place) return store;
  return stores_[next_++ % kMost];
}

const StoredConstants::Store* StoredConstants::find(const Place& place) const {
  for (const Store& store : stores_)
    if (store.place == place) return &store;
  return nullptr;
}

void StoredConstants::note(const Place& place, const Constant& what, Piece piece) { slot(place) = {place, what, piece, false}; }

void StoredConstants::note_narrow(const Place& place) { slot(place) = {place, {}, Piece::kTail, true}; }

Constant StoredConstants::at(const Place& place) const {
  const Store* const store = bases_ == 0 ? nullptr : find(place);
  return store == nullptr ? Constant{} : store->what;
}

bool StoredConstants::is_text(const Place& place) const {
  constexpr int kLong = 4;  // pieces: as many tags in a row are none
  if (bases_ == 0) return false;
  int pieces = 1;
  Place at = place;
  for (bool goes_on = true; goes_on && pieces < kLong;) {
    goes_on = false;
    for (const Store& store : stores_) {
      if (store.place.kind != Place::kStored || store.place.reg != at.reg) continue;
      const std::int64_t behind = std::int64_t{store.place.offset} - at.offset;
      if (behind <= 0 || behind > 4 || store.piece == Piece::kNone) continue;
      // Pieces that overlap, and such as end within.
      if (behind < 4 || store.piece == Piece::kTail) return true;
      if (store.piece == Piece::kEnd) {
        if (pieces > 1) return true;
        continue;
      }
      goes_on = true;
    }
    if (goes_on) ++pieces, at.offset += 4;
  }
  for (at = place; pieces < kLong; ++pieces) {
    bool found = false;
    for (const Store& store : stores_) {
      if (store.place.kind != Place::kStored || store.place.reg != at.reg || store.piece != Piece::kWhole) continue;
      const std::int64_t before = std::int64_t{at.offset} - store.place.offset;
      if (before > 0 && before < 4) return true;
      found = found || before == 4;
    }
    if (!found) break;
    at.offset -= 4;
    if (const Store* const end = find({place.kind, place.reg, place.offset + 4}); end && end->piece == Piece::kEnd) return true;
  }
  return pieces >= kLong;
}

bool StoredConstants::may_end_behind(const Place& place) const {
  const Store* const behind = find({place.kind, place.reg, place.offset + 4});
  return behind != nullptr && behind->piece != Piece::kNone;
}

void StoredConstants::erase_on(unsigned base) {
  bases_ &= ~(1U << base);
  for (Store& store : stores_)
    if (store.place.reg == base) store = {};
}

void StoredConstants::cut() {
  if (bases_ == 0) return;
  for (Store& store : stores_) store.piece = Piece::kNone;
}

void StoredConstants::clear() {
  if (bases_ != 0) stores_.fill({});
  bases_ = 0;
}

}  // namespace kmem::drivers
