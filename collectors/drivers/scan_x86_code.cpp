#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "collectors/drivers/image_scan.h"
#include "collectors/drivers/pending_constants.h"
#include "collectors/drivers/x86_instruction.h"

namespace kmem::drivers {
namespace {

/// A number that was counted where it came from.
Constant derived(Constant from) {
  from.least = Evidence{};
  return from;
}

class CodeReader : private PendingConstants {
 public:
  CodeReader(const PeImage& image, const PeSection& section, Finds& finds, bool knows_own)
      : PendingConstants(image.machine == Machine::kX64, finds), image_(image), code_(section.bytes), address_(section.address),
        knows_own_(knows_own) {}

  void read() {
    for (std::size_t at = 0; at < code_.size();) {
      const Instruction in = decode_x86(code_, at, is_x64_);
      if (in.length == 0) {
        end_of_function();
        ++at;
        continue;
      }
      ++number_;
      at_ = at;
      if (popped_) after_call(in);
      take(in);
      at += in.length;
    }
    end_of_function();
    loads_.settle(image_, finds_);
  }

 private:
  [[nodiscard]] std::uint32_t dword_at(std::size_t offset) const {
    std::uint32_t value = 0;
    std::memcpy(&value, code_.data() + at_ + offset, sizeof value);
    return value;
  }
  [[nodiscard]] std::int32_t signed_at(std::size_t offset, std::size_t bytes) const {
    if (bytes == 4) return static_cast<std::int32_t>(dword_at(offset));
    return bytes == 0 ? 0 : static_cast<std::int8_t>(code_[at_ + offset]);
  }
  [[nodiscard]] std::int32_t displacement(const Instruction& in) const {
    return signed_at(in.displacement_at, in.displacement_bytes);
  }
  [[nodiscard]] std::int32_t number_in(const Instruction& in) const {
    return in.operand16 && in.immediate_bytes == 2 ? 0 : signed_at(in.immediate_at, in.immediate_bytes);
  }
  /// With an index when the caller does not mind one.
  [[nodiscard]] static std::optional<unsigned> base_register(const Instruction& in, bool with_index = false) {
    if (in.mod() == 3 || (in.mod() == 0 && (in.modrm & 7U) == 5)) return std::nullopt;
    if (!in.has_sib) return in.rm();
    if ((((in.sib >> 3) & 7U) != kSp && !with_index) || (in.mod() == 0 && (in.sib & 7U) == 5)) return std::nullopt;
    return (in.sib & 7U) | ((in.rex & 1U) << 3);
  }
  /// What the instruction's operand in memory is, when its address is a constant.
  [[nodiscard]] std::optional<std::uint32_t> fixed_address(const Instruction& in) const {
    if (in.mod() != 0 || (in.modrm & 7U) != 5 || in.displacement_bytes != 4) return std::nullopt;
    const std::uint32_t value = dword_at(in.displacement_at);
    if (is_x64_) return address_ + static_cast<std::uint32_t>(at_) + in.length + value;
    return value - static_cast<std::uint32_t>(image_.base);
  }
  /// What the operand in memory is, otherwise: where a store goes, as far as it can be told from others.
  [[nodiscard]] std::optional<Place> place_of(const Instruction& in, bool with_index = false) const {
    const auto base = base_register(in, with_index);
    if (!base) return std::nullopt;
    const std::int64_t offset = std::int64_t{displacement(in)} - (*base == kSp ? depth_ : 0);
    if (std::abs(offset) > kFarthest) return std::nullopt;
    return Place{Place::kStored, *base, static_cast<std::int32_t>(offset)};
  }

  void take(const Instruction& in) {
    if (in.opcode != 0xCC) is_clear_ = false;
    if (in.map == OpcodeMap::kTwoByte) return take_two_byte(in);
    if (in.map != OpcodeMap::kOneByte) return;
    const std::uint8_t op = in.opcode;
    const unsigned low = (op & 7U) | ((in.rex & 1U) << 3);
    switch (op & 0xF8) {
      case 0xB8: return move_constant(in, low);
      case 0x50: return push(held_[low], Evidence{});
      case 0x58: return pop(low);
      case 0x40:
      case 0x48: return overwrite(op & 7U);  // x86 alone has these
      case 0x90: return op == 0x90 && in.rex == 0 ? void() : exchange(kAx, low);
      default: break;
    }
    // Arithmetic of registers, cmp and what is above apart.
    if (op < 0x38 && (op & 7U) < 4 && in.has_modrm) {
      if ((op & 2U) != 0) return overwrite(in.reg());
      return in.mod() == 3 ? overwrite(in.rm()) : void();
    }
    switch (op) {
      case 0x05: return in.immediate_bytes == 4 ? add_number(kAx, dword_at(in.immediate_at)) : overwrite(kAx);
      case 0x0D: return in.immediate_bytes == 4 ? or_number(kAx, dword_at(in.immediate_at)) : overwrite(kAx);
      case 0x25: return in.immediate_bytes == 4 ? mask(kAx, dword_at(in.immediate_at)) : overwrite(kAx);
      case 0x68: return in.immediate_bytes == 4 ? push_number(in) : push({}, Evidence{});
      case 0x6A: return push({}, Evidence{});
      case 0x69:
      case 0x6B: return overwrite(in.reg());
      case 0x81:
      case 0x83: return calculate(in);
      case 0x80:
      case 0x8A: return narrow_load(in);
      case 0x87: return in.mod() == 3 ? exchange(in.reg(), in.rm()) : overwrite(in.reg());
      case 0x88: return store_narrow(in, std::nullopt);
      case 0x89: return store_register(in);
      case 0x8B: return load(in);
      case 0x8D: return take_address(in);
      case 0xA0:
        if (!is_x64_ && in.immediate_bytes == 4)
          loads_.other(dword_at(in.immediate_at) - static_cast<std::uint32_t>(image_.base));
        return overwrite(kAx);
      case 0xA1:
        if (!is_x64_ && in.immediate_bytes == 4)
          load_from(dword_at(in.immediate_at) - static_cast<std::uint32_t>(image_.base), kAx, in.operand16);
        return;
      case 0xC0:
      case 0xD0:
      case 0xD1:
      case 0xD2:
      case 0xD3: return in.mod() == 3 ? overwrite(in.rm()) : void();
      case 0xC1:
        if (in.mod() == 3) mask(in.rm(), in.digit() == 4 ? 1U << (number_in(in) & 31) : 0);
        return;
      case 0xC6: return store_narrow(in, static_cast<std::uint8_t>(code_[at_ + in.immediate_at]));
      case 0xC7: return store_constant(in);
      case 0xC9: return overwrite(kSp);
      case 0xE8: return call(called(in), false, true);
      case 0xE9: return call(called(in), true, true);
      case 0xEB: return jump(!knows_own_);
      case 0xF7: return multiply(in);
      case 0xFF: return take_ff(in);
      case 0xC3:
      case 0xC2:
      case 0xCC: return end_of_function();
      default: return;
    }
  }

  void take_ff(const Instruction& in) {
    switch (in.digit()) {
      case 0:
      case 1: return in.mod() == 3 ? overwrite(in.rm()) : void();
      case 2: return call(called(in), false, false);
      case 4: return call(called(in), true, false);
      case 6: return push_memory(in);
      default: return;
    }
  }

  void take_two_byte(const Instruction& in) {
    if (in.opcode == 0xAF) {  // imul
      if (in.mod() == 3) forget(in.rm());
      return forget(in.reg());
    }
    if ((in.opcode & 0xF0) == 0x40) {  // cmov: what it would move counts, too
      if (in.mod() == 3 && held_[in.rm()]) choose(in.reg(), held_[in.rm()]);
      return;
    }
    const bool extends = (in.opcode & 0xF6) == 0xB6;                                                           // movzx, movsx
    if (!extends && in.opcode != 0x10 && in.opcode != 0x28 && in.opcode != 0x6F && in.opcode != 0x7E) return;  // 16 bytes
    if (const auto address = fixed_address(in)) {
      if (in.opcode == 0x28 || in.opcode == 0x6F || in.opcode == 0x10) take_vector(*address);
      loads_.other(*address);
    }
    if (!extends) return;
    read_as_text(in);
    overwrite(in.reg());
  }

  /// 0 for what is none, an address among it.
  [[nodiscard]] std::uint32_t tag_in(std::uint32_t value) const {
    if (!is_x64_ && value - static_cast<std::uint32_t>(image_.base) < image_.size_bytes) return 0;
    return is_plausible_tag(value) ? value : 0;
  }
  [[nodiscard]] Constant constant(std::uint32_t value) const {
    if (const std::uint32_t tag = tag_in(value)) return {tag, is_known_number(tag) ? Evidence{} : Evidence::kImmediate};
    // Only a tag that is handed to a call may carry the protection bit: among other numbers it would be chance.
    const std::uint32_t bare = value & ~kProtectedPool;
    if ((value & kProtectedPool) != 0)
      if (const std::uint32_t tag = tag_in(bare)) return {tag};
    for (int i = 0; i < 32; i += 8)
      if (((bare >> i) & 0xFF) < 0x20 || ((bare >> i) & 0xFF) > 0x7E) return {};
    return {bare, Evidence{}, true};
  }
  void move_constant(const Instruction& in, unsigned reg) {
    if (in.immediate_bytes == 4) return hold(reg, constant(dword_at(in.immediate_at)));
    overwrite(reg);
    if (in.immediate_bytes == 8) scan_row(image_, std::array{dword_at(in.immediate_at), dword_at(in.immediate_at + 4)}, finds_);
  }
  void take_vector(std::uint32_t address) {
    std::array<std::uint32_t, 4> row{};
    for (std::uint32_t i = 0; i < row.size(); ++i) {
      const auto word = image_.dword_at(address + 4 * i);
      if (!word) return;
      row[i] = *word;
    }
    scan_row(image_, row, finds_);
  }

  /// One of two, as a condition wants it.
  void choose(unsigned reg, const Constant& other) {
    const Place place{Place::kRegister, reg, 0};
    const auto one = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& each) { return each.place == place; });
    if (one == pending_.end()) {
      held_[reg] = derived(other);
      return await({held_[reg], place, number_});
    }
    if (one->what.other == 0 && !other.only_known) one->what.other = held_[reg].other = other.tag;
  }
  /// sbb, and, add is how compilers choose one of two numbers without a jump; setcc, shl, or, when a bit tells them apart.
  void mask(unsigned reg, std::uint32_t bits) {
    overwrite(reg);
    masked_ = {reg, bits, number_};
  }
  void add_number(unsigned reg, std::uint32_t value) {
    overwrite(reg);
    if (masked_.reg != reg || masked_.since + 1 != number_) return;
    Constant what = constant(value);
    const Constant other = constant(value + masked_.bits);
    if (!what || !other || what.only_known || other.only_known) return;
    what.other = other.tag;
    hold(reg, what);
  }

  void or_number(unsigned reg, std::uint32_t value) {
    if (masked_.reg == reg && (masked_.bits & value) != 0) masked_ = {};
    add_number(reg, value);
  }

  void hold(unsigned reg, const Constant& what) {
    overwrite(reg);
    if (!what) return;
    held_[reg] = what;
    await({what, {Place::kRegister, reg, 0}, number_});
  }
  void hold_again(unsigned reg, const Constant& what) {
    overwrite(reg);
    if (!what) return;
    held_[reg] = derived(what);
    if (is_argument(reg)) await({held_[reg], {Place::kRegister, reg, 0}, number_});
  }
  void copy(unsigned to, unsigned from) {
    const Constant what = held_[from];
    const PeImport* const import = imports_[from];
    hold_again(to, what);
    imports_[to] = import;
  }
  void exchange(unsigned a, unsigned b) {
    overwrite(a);
    overwrite(b);
  }

  /// What was in the register is gone, before any call.
  void overwrite(unsigned reg) {
    held_[reg] = {};
    imports_[reg] = nullptr;
    drop([reg](const Pending& one) { return one.place.reg == reg && !one.is_pushed; });
    stores_.forget_on(reg);
    if (reg == kSp) {
      depth_ = 0;
      filled_.clear();
    }
  }
  /// What was in the register was no tag.
  void forget(unsigned reg) {
    erase([reg](const Pending& one) { return one.place.kind == Place::kRegister && one.place.reg == reg; });
    overwrite(reg);
  }
  void multiply(const Instruction& in) {
    const unsigned digit = in.digit();
    if (digit < 2) return;
    if (digit < 4) return in.mod() == 3 ? overwrite(in.rm()) : void();
    if (digit < 6) {
      if (in.mod() == 3) {
        erase([reg = in.rm()](const Pending& one) { return one.place.kind == Place::kRegister && one.place.reg == reg; });
        held_[in.rm()] = {};
      }
      forget(kAx);
    }
    overwrite(kAx);
    overwrite(kDx);
  }

  void calculate(const Instruction& in) {
    if (in.mod() != 3 || in.digit() == 7) return;
    if (in.rm() != kSp) {
      const bool is_number = in.immediate_bytes == 4;
      if (in.digit() == 1 && is_number) return or_number(in.rm(), dword_at(in.immediate_at));
      if (in.digit() == 4 && is_number) return mask(in.rm(), dword_at(in.immediate_at));
      if (in.digit() == 0 && is_number) return add_number(in.rm(), dword_at(in.immediate_at));
      return overwrite(in.rm());
    }
    if (in.digit() == 5) {
      move_depth(number_in(in));
    } else if (in.digit() == 0) {
      move_depth(-std::int64_t{number_in(in)});
      // What lies below the stack's end was an argument of the call before.
      erase([this](const Pending& one) { return one.passed_by && one.place.offset < -depth_; });
    } else {
      overwrite(kSp);
    }
  }

  void push(const Constant& what, Evidence least) {
    move_depth(word_);
    pushed_bytes_ = std::min(pushed_bytes_ + word_, kDeepest);
    const Place place{Place::kStored, kSp, -depth_};
    fill(place.offset);
    if (!what) return;
    Constant pushed = what;
    pushed.least = least;
    await({pushed, place, number_, true});
  }
  void push_number(const Instruction& in) {
    const Constant what = constant(dword_at(in.immediate_at));
    push(what, what.least);
  }
  void push_memory(const Instruction& in) {
    if (const auto address = fixed_address(in)) {
      push({}, Evidence{});
      return read_number(*address);
    }
    const auto place = place_of(in);
    push(place ? stores_.at(*place) : Constant{}, Evidence{});
  }
  void pop(unsigned reg) {
    move_depth(-word_);
    overwrite(reg);
  }

  void store_constant(const Instruction& in) {
    if (in.mod() == 3) return in.immediate_bytes == 4 ? hold(in.rm(), constant(dword_at(in.immediate_at))) : overwrite(in.rm());
    if (in.immediate_bytes != 4) {
      std::uint16_t value = 0;
      std::memcpy(&value, code_.data() + at_ + in.immediate_at, sizeof value);
      return store_narrow(in, value, true);
    }
    const std::uint32_t value = dword_at(in.immediate_at);
    auto place = place_of(in);
    if (!place) {
      const auto address = fixed_address(in);
      place = Place{Place::kStored, kNoRegister, static_cast<std::int32_t>(address.value_or(0))};
      if (!address || *address > kFarthest) place.reset();
    }
    const Constant what = constant(value);
    if (!place) {
      if (what.least != Evidence{}) finds_.add(what.tag, what.least);
      return;
    }
    note_store(*place, what, piece_of(value));
    if (what) await({what, *place, number_});
  }

  void store_register(const Instruction& in) {
    if (in.mod() == 3) return copy(in.rm(), in.reg());
    if (in.operand16) return store_narrow(in, std::nullopt);
    const auto place = place_of(in);
    if (!place) return;
    Constant what = held_[in.reg()];
    if (!stores_.is_empty() || what || place->reg == kSp) note_store(*place, what, what ? Piece::kWhole : Piece::kNone);
    if (!what) return;
    if (!is_argument(in.reg())) {
      // Made to be stored: what becomes of it there counts.
      const Place from{Place::kRegister, in.reg(), 0};
      const auto was = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& one) { return one.place == from; });
      what.least = was == pending_.end() ? Evidence{} : was->what.least;
      if (was != pending_.end()) pending_.erase(was);
    } else {
      what.least = Evidence{};
    }
    await({what, *place, number_});
  }
  /// A byte or two right behind four characters: the end of a text. `value`: when it is known.
  void store_narrow(const Instruction& in, std::optional<std::uint16_t> value, bool two_bytes = false) {
    const auto place = place_of(in);
    if (!place) return;
    const auto printable = [](unsigned c) { return c >= 0x20 && c <= 0x7E; };
    bool is_text = true;
    if (value && two_bytes && *value == 0) {
      is_text = place->reg == kSp || place->reg == kBp;
    } else if (value && *value != 0) {
      is_text = printable(*value & 0xFF) && (*value < 0x100 || printable(*value >> 8));
    }
    if (is_text) stores_.note_narrow(*place);
  }

  [[nodiscard]] std::uint32_t number_at(std::uint32_t address) const {
    const auto value = image_.dword_at(address);
    return value ? tag_in(*value) : 0;
  }

  void load(const Instruction& in) {
    if (in.mod() == 3) return copy(in.reg(), in.rm());
    if (const auto address = fixed_address(in)) {
      if (const PeImport* const import = image_.import_at(*address)) {
        overwrite(in.reg());
        imports_[in.reg()] = import;
        return;
      }
      return load_from(*address, in.reg(), in.operand16 || in.wide());
    }
    const auto place = stores_.is_empty() ? std::nullopt : place_of(in);
    hold_again(in.reg(), place && !in.operand16 ? stores_.at(*place) : Constant{});
  }
  void load_from(std::uint32_t address, unsigned reg, bool is_other) {
    overwrite(reg);
    if (const PeImport* const import = image_.import_at(address)) {
      imports_[reg] = import;
      return;
    }
    if (is_other) return loads_.other(address);
    read_number(address);
  }
  void read_number(std::uint32_t address) {
    const std::uint32_t tag = number_at(address);
    if (tag != 0 && !is_known_number(tag)) {
      loads_.number(address, tag, Evidence::kLoaded);
    } else {
      loads_.other(address);
    }
  }
  void narrow_load(const Instruction& in) {
    if (const auto address = fixed_address(in)) loads_.other(*address);
    read_as_text(in);
    if (in.opcode == 0x8A) overwrite(in.reg() & 3U);
  }
  /// A character of what was stored is read: it was a text.
  void read_as_text(const Instruction& in) {
    if (pending_.empty()) return;
    const auto place = place_of(in, true);
    if (!place) return;
    erase([&](const Pending& one) {
      return one.place.kind == Place::kStored && one.place.reg == place->reg &&
             std::int64_t{place->offset} - one.place.offset >= 0 && std::int64_t{place->offset} - one.place.offset < 4;
    });
  }

  void take_address(const Instruction& in) {
    // The address of what was stored is taken: it is a variable, not an argument; with an end behind it, a text.
    if (const auto place = pending_.empty() ? std::nullopt : place_of(in)) {
      const auto is_it = [&](const Pending& one) { return one.place == *place; };
      stores_.may_end_behind(*place) ? erase(is_it) : drop(is_it);
    }
    overwrite(in.reg());
  }

  /// The import that a call or jump goes to; nullptr for others.
  [[nodiscard]] const PeImport* called(const Instruction& in) const {
    if (in.opcode == 0xFF) {
      if (in.mod() == 3) return imports_[in.rm()];
      const auto address = fixed_address(in);
      return address ? image_.import_at(*address) : nullptr;
    }
    if (in.immediate_bytes != 4) return nullptr;
    // A jump through the import table, as linkers make them for calls that did not know better.
    const std::uint32_t target = address_ + static_cast<std::uint32_t>(at_) + in.length + dword_at(in.immediate_at);
    const auto head = image_.dword_at(target), tail = image_.dword_at(target + 2);
    if (!head || !tail || (*head & 0xFFFF) != 0x25FF) return nullptr;
    return image_.import_at(is_x64_ ? target + 6 + *tail : *tail - static_cast<std::uint32_t>(image_.base));
  }

  void call(const PeImport* import, bool is_jump, bool is_own) {
    TagCall shape = tag_call(import);
    if (is_own && import == nullptr && knows_own_) {
      if (is_jump) return jump(false);
      shape.kind = TagCall::kNoTag;
    }
    if (!pending_.empty()) {
      switch (shape.kind) {
        case TagCall::kTagged: call_tagged(shape, is_jump); break;
        case TagCall::kNoTag: call_without_tag(is_jump); break;
        case TagCall::kUnknown: is_jump ? jump(true) : call_unknown(); break;
      }
    }
    if (is_jump && shape.kind == TagCall::kUnknown) return;
    for (unsigned reg = 0; reg < held_.size(); ++reg) {
      if (!is_volatile(reg, is_x64_)) continue;
      held_[reg] = {};
      imports_[reg] = nullptr;
    }
    filled_.clear();
    stores_.cut();
    if (!is_x64_) popped_ = Popped{shape.kind == TagCall::kTagged ? shape.words * word_ : pushed_bytes_};
    pushed_bytes_ = 0;
  }

  /// On x86 a function takes its arguments off the stack, and gcc puts the stack's end back at once; or the caller does.
  void after_call(const Instruction& in) {
    const std::int32_t popped = popped_->bytes;
    popped_.reset();
    const bool of_stack =
        in.map == OpcodeMap::kOneByte && (in.opcode == 0x83 || in.opcode == 0x81) && in.mod() == 3 && in.rm() == kSp;
    if (of_stack && in.digit() == 0) return;
    // gcc, with arguments that were stored: what it takes again is what went.
    move_depth(-std::int64_t{of_stack && in.digit() == 5 ? number_in(in) : popped});
  }

  void end_of_function() {
    if (is_clear_) return;  // between functions, byte by byte
    is_clear_ = true;
    drop([](const Pending&) { return true; });
    held_.fill({});
    imports_.fill(nullptr);
    filled_.clear();
    stores_.clear();
    depth_ = pushed_bytes_ = 0;
    popped_.reset();
  }

  struct Popped {
    std::int32_t bytes = 0;
  };
  struct Masked {
    unsigned reg = kNoRegister;
    std::uint32_t bits = 0, since = 0;
  };

  const PeImage& image_;
  std::span<const std::byte> code_;
  std::uint32_t address_;
  const bool knows_own_;
  std::size_t at_ = 0;
  bool is_clear_ = true;  // nothing is known since the last function's end
  std::array<Constant, 16> held_{};
  std::array<const PeImport*, 16> imports_{};
  Masked masked_;                 // by the instruction before
  std::optional<Popped> popped_;  // by a call right before
  Loads loads_;
};

}  // namespace

void scan_x86_code(const PeImage& image, const PeSection& section, Finds& finds, bool knows_own) {
  CodeReader(image, section, finds, knows_own).read();
}

}  // namespace kmem::drivers
