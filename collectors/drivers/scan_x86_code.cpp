#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "collectors/drivers/image_scan.h"
#include "collectors/drivers/x86_instruction.h"

namespace kmem::drivers {
namespace {

constexpr unsigned kSp = 4;
constexpr std::uint32_t kWindow = 16;  // instructions from a constant to the call that it is handed to
constexpr std::size_t kMaxPending = 12;

/// Registers that carry arguments: rcx, rdx, r8, r9; fastcall's ecx, edx.
constexpr bool is_argument(unsigned reg) { return reg == 1 || reg == 2 || reg == 8 || reg == 9; }

/// A function call may change these.
constexpr bool is_volatile(unsigned reg) { return reg <= 2 || (reg >= 8 && reg <= 11); }

struct Place {
  enum Kind : std::uint8_t { kRegister, kPushed, kStored } kind = kRegister;
  unsigned reg = 0;            // or the base of a store
  std::int32_t offset = 0;     // of a store
};

struct Pending {
  std::uint32_t tag = 0;
  Place place;
  std::uint32_t since = 0;     // number of the instruction
  Evidence least = Evidence::kImmediate;
};

struct Store {
  unsigned base = 0;
  std::int32_t offset = 0;
  bool is_text = false;        // four characters, or fewer and a 0
  std::uint32_t since = 0;
};

class CodeReader {
 public:
  CodeReader(const PeImage& image, const PeSection& section, Finds& finds)
      : image_(image), code_(section.bytes), address_(section.address), is_x64_(image.machine == Machine::kX64),
        finds_(finds) {}

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
  [[nodiscard]] std::int32_t displacement(const Instruction& in) const {
    if (in.displacement_bytes == 4) return static_cast<std::int32_t>(dword_at(in.displacement_at));
    if (in.displacement_bytes == 0) return 0;
    return static_cast<std::int8_t>(code_[at_ + in.displacement_at]);
  }
  [[nodiscard]] static std::optional<unsigned> base_register(const Instruction& in) {
    if (in.mod() == 3 || (in.mod() == 0 && (in.modrm & 7U) == 5)) return std::nullopt;
    if (!in.has_sib) return in.rm();
    if (((in.sib >> 3) & 7U) != kSp || (in.mod() == 0 && (in.sib & 7U) == 5)) return std::nullopt;
    return (in.sib & 7U) | ((in.rex & 1U) << 3);
  }
  /// What the instruction's operand in memory is, when its address is a constant.
  [[nodiscard]] std::optional<std::uint32_t> fixed_address(const Instruction& in) const {
    if (in.mod() != 0 || (in.modrm & 7U) != 5 || in.displacement_bytes != 4) return std::nullopt;
    const std::uint32_t value = dword_at(in.displacement_at);
    if (is_x64_) return address_ + static_cast<std::uint32_t>(at_) + in.length + value;
    return value - static_cast<std::uint32_t>(image_.base);
  }

  void take(const Instruction& in) {
    if (in.map == OpcodeMap::kTwoByte) return take_two_byte(in);
    if (in.map != OpcodeMap::kOneByte) return;
    const std::uint8_t op = in.opcode;
    if (op >= 0xB8 && op <= 0xBF) return move_constant(in);
    switch (op) {
      case 0x68: return push(in);
      case 0xC7: return store_constant(in);
      case 0xC6: return store_narrow(in);
      case 0x8B: return load(in);
      case 0x8A: return narrow_load(in);
      case 0x89: return in.mod() == 3 ? copy(in.rm(), in.reg()) : store_register(in);
      case 0x88: return store_narrow(in);
      case 0x8D: return take_address(in);
      case 0x31:
      case 0x33:
        if (in.mod() == 3) overwrite(op == 0x31 ? in.rm() : in.reg());
        return;
      case 0xA1:
        if (!is_x64_ && in.immediate_bytes == 4)
          load_from(dword_at(in.immediate_at) - static_cast<std::uint32_t>(image_.base), 0, in.operand16);
        return;
      case 0xE8: return call();
      case 0xE9: return jump();
      case 0xFF:
        if (in.digit() == 2) return call();
        if (in.digit() == 4) return jump();
        if (in.digit() == 6) push_memory(in);
        return;
      case 0xC3:
      case 0xC2:
      case 0xCC: return end_of_function();
      default: return;
    }
  }

  void take_two_byte(const Instruction& in) {
    const bool extends = (in.opcode & 0xFE) == 0xB6 || (in.opcode & 0xFE) == 0xBE;  // movzx, movsx
    if (!extends && in.opcode != 0x10 && in.opcode != 0x28 && in.opcode != 0x6F && in.opcode != 0x7E)
      return;  // 16 bytes
    if (const auto address = fixed_address(in)) loads_.other(*address);
    if (extends) overwrite(in.reg());
  }

  /// 0 for what is none, an address among it.
  [[nodiscard]] std::uint32_t tag_in(std::uint32_t value) const {
    if (!is_x64_ && value - static_cast<std::uint32_t>(image_.base) < image_.size_bytes) return 0;
    return is_plausible_tag(value) ? value : 0;
  }

  void move_constant(const Instruction& in) {
    const unsigned reg = (in.opcode & 7U) | ((in.rex & 1U) << 3);
    if (in.immediate_bytes != 4) return overwrite(reg);
    hold(reg, dword_at(in.immediate_at), Evidence::kImmediate);
  }

  void hold(unsigned reg, std::uint32_t value, Evidence least) {
    overwrite(reg);
    std::uint32_t tag = tag_in(value);
    // Only a tag that is handed to a call may carry the protection bit: among other numbers it would be chance.
    if (tag == 0 && (value & kProtectedPool) != 0) {
      tag = tag_in(value & ~kProtectedPool);
      least = Evidence{};
    }
    if (tag == 0) return;
    held_[reg] = tag;
    held_least_[reg] = least;
    await_call({tag, {Place::kRegister, reg, 0}, number_, least});
    if (!is_argument(reg)) settle_newest();
  }

  void copy(unsigned to, unsigned from) {
    const std::uint32_t tag = held_[from];
    const Evidence least = held_least_[from];
    overwrite(to);
    if (tag == 0) return;
    held_[to] = tag;
    held_least_[to] = least;
    if (is_argument(to)) await_call({tag, {Place::kRegister, to, 0}, number_, least});
  }

  /// What was in the register is gone, before any call.
  void overwrite(unsigned reg) {
    held_[reg] = 0;
    drop([reg](const Pending& one) { return one.place.kind == Place::kRegister && one.place.reg == reg; });
  }

  void push(const Instruction& in) {
    if (in.immediate_bytes != 4) return;
    const std::uint32_t value = dword_at(in.immediate_at);
    std::uint32_t tag = tag_in(value);
    Evidence least = Evidence::kImmediate;
    if (tag == 0 && (value & kProtectedPool) != 0) {
      tag = tag_in(value & ~kProtectedPool);
      least = Evidence{};
    }
    if (tag != 0) await_call({tag, {Place::kPushed, 0, 0}, number_, least});
  }

  void push_memory(const Instruction& in) {
    const auto address = fixed_address(in);
    if (!address) return;
    read_number(*address);
  }

  void store_constant(const Instruction& in) {
    if (in.mod() == 3) return overwrite(in.rm());
    const auto base = base_register(in);
    if (in.immediate_bytes != 4) return base ? narrow_at(*base, displacement(in)) : void();
    const std::uint32_t value = dword_at(in.immediate_at);
    if (!base) {
      if (const std::uint32_t tag = tag_in(value)) finds_.add(tag, Evidence::kImmediate);
      return;
    }
    const Place place{Place::kStored, *base, displacement(in)};
    const bool is_text = looks_like_text(value);
    bool beside_text = false;
    for (const Store& other : stores_) {
      const std::int32_t distance = other.offset - place.offset;
      if (other.base == place.reg && number_ - other.since < kWindow && distance != 0 && distance >= -4 &&
          distance <= 4 && (other.is_text || is_text) && (other.is_text == is_text))
        beside_text = true;
    }
    stores_[stored_++ % stores_.size()] = {place.reg, place.offset, is_text, number_};
    if (beside_text) {
      cancel_stores(place.reg, place.offset, 4);
      return;
    }
    if (const std::uint32_t tag = tag_in(value)) await_call({tag, place, number_, Evidence::kImmediate});
  }

  /// Four characters, or fewer with zeros behind them: a piece of a text, if another piece is beside it.
  static bool looks_like_text(std::uint32_t value) {
    for (; (value & 0xFF) != 0; value >>= 8)
      if ((value & 0xFF) < 0x20 || (value & 0xFF) > 0x7E) return false;
    return value == 0;
  }

  void store_register(const Instruction& in) {
    if (in.operand16)
      if (const auto base = base_register(in)) narrow_at(*base, displacement(in));
  }
  void store_narrow(const Instruction& in) {
    if (const auto base = base_register(in)) narrow_at(*base, displacement(in));
  }
  /// A byte or two right behind four characters: the end of a text.
  void narrow_at(unsigned base, std::int32_t offset) {
    stores_[stored_++ % stores_.size()] = {base, offset, true, number_};
    cancel_stores(base, offset, 4);
  }
  void cancel_stores(unsigned base, std::int32_t offset, std::int32_t reach) {
    std::erase_if(pending_, [=](const Pending& one) {
      const std::int64_t distance = std::int64_t{one.place.offset} - offset;
      return one.place.kind == Place::kStored && one.place.reg == base && distance != 0 && distance >= -reach &&
             distance <= reach;
    });
  }

  [[nodiscard]] std::uint32_t number_at(std::uint32_t address) const {
    const auto value = image_.dword_at(address);
    return value ? tag_in(*value) : 0;
  }

  void load(const Instruction& in) {
    if (in.mod() == 3) return copy(in.reg(), in.rm());
    if (const auto address = fixed_address(in)) return load_from(*address, in.reg(), in.operand16 || in.wide());
    overwrite(in.reg());
  }
  void load_from(std::uint32_t address, unsigned reg, bool is_other) {
    overwrite(reg);
    if (is_other) return loads_.other(address);
    read_number(address);
  }
  void read_number(std::uint32_t address) {
    if (const std::uint32_t tag = number_at(address); tag != 0) {
      loads_.number(address, tag, Evidence::kLoaded);
    } else {
      loads_.other(address);
    }
  }
  void narrow_load(const Instruction& in) {
    if (const auto address = fixed_address(in)) loads_.other(*address);
    overwrite(in.reg());
  }

  void take_address(const Instruction& in) {
    // The address of what was stored is taken: it is a variable, not an argument.
    if (const auto base = base_register(in)) {
      const std::int32_t offset = displacement(in);
      drop([&](const Pending& one) {
        return one.place.kind == Place::kStored && one.place.reg == *base && one.place.offset == offset;
      });
    }
    overwrite(in.reg());
  }

  void await_call(const Pending& one) {
    if (pending_.size() == kMaxPending) settle_oldest();
    pending_.push_back(one);
  }

  [[nodiscard]] bool is_stack_argument(const Place& place) const {
    if (place.reg != kSp) return false;
    // x64 keeps four words for the register arguments; on x86 what compilers pass lies at the stack's end.
    return is_x64_ ? place.offset >= 0x20 && place.offset < 0x70 && place.offset % 8 == 0
                   : place.offset >= 0 && place.offset < 0x24 && place.offset % 4 == 0;
  }

  void call() {
    for (const Pending& one : pending_) {
      const bool handed = number_ - one.since <= kWindow &&
                          (one.place.kind != Place::kStored || is_stack_argument(one.place));
      settle(one, handed ? Evidence::kArgument : one.least);
    }
    pending_.clear();
    for (unsigned reg = 0; reg < held_.size(); ++reg)
      if (is_volatile(reg)) held_[reg] = 0;
  }

  /// Away from here: the last call of a function, or just a branch.
  void jump() {
    for (const Pending& one : pending_)
      settle(one, one.place.kind == Place::kRegister && number_ - one.since <= kWindow / 2 ? Evidence::kArgument
                                                                                           : one.least);
    pending_.clear();
  }

  void end_of_function() {
    drop([](const Pending&) { return true; });
    held_.fill(0);
  }

  template <typename Which>
  void drop(Which which) {
    if (pending_.empty()) return;
    for (const Pending& one : pending_)
      if (which(one)) settle(one, one.least);
    std::erase_if(pending_, which);
  }
  void settle_oldest() {
    settle(pending_.front(), pending_.front().least);
    pending_.erase(pending_.begin());
  }
  void settle_newest() {
    settle(pending_.back(), pending_.back().least);
    pending_.pop_back();
  }
  void settle(const Pending& one, Evidence evidence) {
    if (evidence != Evidence{}) finds_.add(one.tag, evidence);
  }

  const PeImage& image_;
  std::span<const std::byte> code_;
  std::uint32_t address_;
  bool is_x64_;
  Finds& finds_;
  std::size_t at_ = 0;
  std::uint32_t number_ = 0;
  std::array<std::uint32_t, 16> held_{};
  std::array<Evidence, 16> held_least_{};
  std::vector<Pending> pending_;
  std::array<Store, 8> stores_{};
  std::size_t stored_ = 0;
  Loads loads_;
};

}  // namespace

void scan_x86_code(const PeImage& image, const PeSection& section, Finds& finds) {
  CodeReader(image, section, finds).read();
}

}  // namespace kmem::drivers
