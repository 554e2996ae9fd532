#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "collectors/drivers/image_scan.h"
#include "collectors/drivers/tag_calls.h"
#include "collectors/drivers/x86_instruction.h"

namespace kmem::drivers {
namespace {

constexpr unsigned kAx = 0, kDx = 2, kSp = 4, kBp = 5, kNoRegister = 16;
constexpr std::uint32_t kWindow = 16;  // instructions from a constant to the call that it is handed to
constexpr std::size_t kMaxPending = 16, kMaxFilled = 16;

/// Registers that carry arguments: rcx, rdx, r8, r9; fastcall's ecx, edx.
constexpr bool is_argument(unsigned reg) { return reg == 1 || reg == 2 || reg == 8 || reg == 9; }
constexpr std::array<unsigned, 4> kArguments = {1, 2, 8, 9};

/// A function call may change these.
constexpr bool is_volatile(unsigned reg, bool is_x64) { return reg <= 2 || (is_x64 && reg >= 8 && reg <= 11); }

/// A number that may be a tag.
struct Constant {
  std::uint32_t tag = 0;             // 0: none
  Evidence least = Evidence{};       // Evidence{}: only a call makes a tag of it ...
  bool only_known = false;           // ... namely one that is known to take one

  explicit operator bool() const { return tag != 0; }
};

struct Place {
  enum Kind : std::uint8_t { kRegister, kStored } kind = kRegister;
  unsigned reg = 0;            // or the base of a store: kNoRegister for none
  std::int32_t offset = 0;     // of a store; from the stack's pointer: as it was at the function's start or the last call

  bool operator==(const Place&) const = default;
};

struct Pending {
  Constant what;
  Place place;
  std::uint32_t since = 0;     // number of the instruction
  bool is_pushed = false;
  bool beside_text = false;
  bool passed_by = false;      // pushed before a call that takes no tag: of that call, or of a later one
};

struct Store {
  Place place;
  Constant what;               // what is read again from there
  enum Text : std::uint8_t { kNone, kEnd, kText } text = kNone;  // kEnd: of a text, or a small number
  bool is_narrow = false;
};

class CodeReader {
 public:
  CodeReader(const PeImage& image, const PeSection& section, Finds& finds)
      : image_(image), code_(section.bytes), address_(section.address), is_x64_(image.machine == Machine::kX64),
        word_(is_x64_ ? 8 : 4), finds_(finds) {}

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
    return Place{Place::kStored, *base, static_cast<std::int32_t>(offset)};
  }

  void take(const Instruction& in) {
    if (in.map == OpcodeMap::kTwoByte) return take_two_byte(in);
    if (in.map != OpcodeMap::kOneByte) return;
    const std::uint8_t op = in.opcode;
    const unsigned low = (op & 7U) | ((in.rex & 1U) << 3);
    switch (op & 0xF8) {
      case 0xB8: return in.immediate_bytes == 4 ? hold(low, constant(dword_at(in.immediate_at))) : overwrite(low);
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
      case 0xA1:
        if (!is_x64_ && in.immediate_bytes == 4)
          load_from(dword_at(in.immediate_at) - static_cast<std::uint32_t>(image_.base), kAx, in.operand16);
        return;
      case 0xC6: return store_narrow(in, static_cast<std::uint8_t>(code_[at_ + in.immediate_at]));
      case 0xC7: return store_constant(in);
      case 0xC9: return overwrite(kSp);
      case 0xE8: return call(called(in), false);
      case 0xE9: return call(called(in), true);
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
      case 2: return call(called(in), false);
      case 4: return call(called(in), true);
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
      if (in.mod() == 3 && held_[in.rm()]) await({derived(held_[in.rm()]), {Place::kRegister, in.reg(), 0}, number_});
      return;
    }
    const bool extends = (in.opcode & 0xF6) == 0xB6;  // movzx, movsx
    if (!extends && in.opcode != 0x10 && in.opcode != 0x28 && in.opcode != 0x6F && in.opcode != 0x7E)
      return;  // 16 bytes
    if (const auto address = fixed_address(in)) loads_.other(*address);
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
    if (const std::uint32_t tag = tag_in(value)) return {tag, is_divisor(tag) ? Evidence{} : Evidence::kImmediate};
    // Only a tag that is handed to a call may carry the protection bit: among other numbers it would be chance.
    const std::uint32_t bare = value & ~kProtectedPool;
    if ((value & kProtectedPool) != 0)
      if (const std::uint32_t tag = tag_in(bare)) return {tag};
    for (int i = 0; i < 32; i += 8)
      if (((bare >> i) & 0xFF) < 0x20 || ((bare >> i) & 0xFF) > 0x7E) return {};
    return {bare, Evidence{}, true};
  }
  /// A number that was counted where it came from.
  [[nodiscard]] static Constant derived(Constant from) {
    from.least = Evidence{};
    return from;
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
    if (reg == kSp) depth_ = 0;
    forget_stores(reg);
    drop([reg](const Pending& one) { return one.place.kind == Place::kRegister && one.place.reg == reg; });
  }
  /// What was in the register was no tag.
  void forget(unsigned reg) {
    erase([reg](const Pending& one) { return one.place.kind == Place::kRegister && one.place.reg == reg; });
    overwrite(reg);
  }
  void forget_stores(unsigned base) {
    if ((stored_on_ & (1U << base)) == 0) return;
    stored_on_ &= ~(1U << base);
    for (Store& store : stores_)
      if (store.place.reg == base) store = {};
    if (base == kSp) filled_.clear();
  }

  void multiply(const Instruction& in) {
    const unsigned digit = in.digit();
    if (digit < 2) return;
    if (digit < 4) return in.mod() == 3 ? overwrite(in.rm()) : void();
    if (digit < 6) {
      if (in.mod() == 3) {
        erase([reg = in.rm()](const Pending& one) {
          return one.place.kind == Place::kRegister && one.place.reg == reg;
        });
        held_[in.rm()] = {};
      }
      forget(kAx);
    }
    overwrite(kAx);
    overwrite(kDx);
  }

  void calculate(const Instruction& in) {
    if (in.mod() != 3 || in.digit() == 7) return;
    if (in.rm() != kSp) return overwrite(in.rm());
    if (in.digit() == 5) {
      depth_ += number_in(in);
    } else if (in.digit() == 0) {
      depth_ -= number_in(in);
      // What lies below the stack's end was an argument of the call before.
      erase([this](const Pending& one) { return one.passed_by && one.place.offset < -depth_; });
    } else {
      overwrite(kSp);
    }
  }

  void push(const Constant& what, Evidence least) {
    depth_ += word_;
    pushed_bytes_ += word_;
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
    push(place ? stored_at(*place) : Constant{}, Evidence{});
  }
  void pop(unsigned reg) {
    depth_ -= word_;
    overwrite(reg);
  }

  void fill(std::int32_t offset) {
    if (filled_.size() == kMaxFilled) filled_.erase(filled_.begin());
    filled_.push_back(offset);
  }
  [[nodiscard]] Constant stored_at(const Place& place) const {
    for (const Store& store : stores_)
      if (store.place == place && store.what) return store.what;
    return {};
  }
  /// Remembers it; whether what is stored is a piece of a text, beside another piece.
  bool note_store(const Place& place, const Constant& what, Store::Text text, bool is_narrow) {
    bool beside_text = false;
    Store* to = &stores_[stored_++ % stores_.size()];
    for (Store& other : stores_) {
      if (other.place == place) {
        to = &other;
        continue;
      }
      const std::int64_t distance = std::int64_t{other.place.offset} - place.offset;
      if (other.place.reg == place.reg && other.text == Store::kText && text == Store::kText && distance >= -4 &&
          distance <= 4 && (!other.is_narrow || distance > 0))
        beside_text = true;
    }
    *to = {place, what, text, is_narrow};
    stored_on_ |= 1U << place.reg;
    if (place.reg == kSp) fill(place.offset);
    if (text != Store::kText) return false;
    for (Pending& one : pending_) {
      const std::int64_t behind = std::int64_t{place.offset} - one.place.offset;
      if (one.place.kind == Place::kStored && one.place.reg == place.reg && behind != 0 && behind <= 4 &&
          behind >= (is_narrow ? 1 : -4))
        one.beside_text = true;
    }
    return beside_text;
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
      if (!address) place.reset();
    }
    const Constant what = constant(value);
    if (!place) {
      if (what.least != Evidence{}) finds_.add(what.tag, what.least);
      return;
    }
    const bool beside_text = note_store(*place, what, text_in(value), false);
    replace(*place);
    if (what) await({what, *place, number_, false, beside_text});
  }

  /// Of four characters, or two or three with zeros behind them, another piece of the text may be beside them.
  static Store::Text text_in(std::uint32_t value) {
    int length = 0;
    for (; (value & 0xFF) != 0; value >>= 8, ++length)
      if ((value & 0xFF) < 0x20 || (value & 0xFF) > 0x7E) return Store::kNone;
    if (value != 0) return Store::kNone;
    return length < 2 ? Store::kEnd : Store::kText;
  }

  void store_register(const Instruction& in) {
    if (in.mod() == 3) return copy(in.rm(), in.reg());
    if (in.operand16) return store_narrow(in, std::nullopt);
    const auto place = place_of(in);
    if (!place) return;
    Constant what = held_[in.reg()];
    bool beside_text = false;
    if (stored_on_ != 0 || what || place->reg == kSp)
      beside_text = note_store(*place, what, what ? Store::kText : Store::kNone, false);
    replace(*place);
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
    await({what, *place, number_, false, beside_text});
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
    if (is_text) note_store(*place, {}, Store::kText, true);
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
    const auto place = stored_on_ != 0 ? place_of(in) : std::nullopt;
    hold_again(in.reg(), place && !in.operand16 ? stored_at(*place) : Constant{});
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
    if (tag != 0 && !is_divisor(tag)) {
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
      const Place next{Place::kStored, place->reg, place->offset + 4};
      const bool ends = std::any_of(stores_.begin(), stores_.end(), [&](const Store& store) {
        return store.place == next && store.text != Store::kNone;
      });
      const auto is_it = [&](const Pending& one) { return one.place == *place; };
      ends ? erase(is_it) : drop(is_it);
    }
    overwrite(in.reg());
  }

  void await(const Pending& one) {
    if (pending_.size() == kMaxPending) settle_oldest();
    pending_.push_back(one);
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

  /// The place on the stack where the call's arguments that lie there begin.
  [[nodiscard]] std::int32_t first_argument(bool is_jump) const {
    // x64 keeps four words for the register arguments; a jump leaves the return address where it is.
    return (is_x64_ ? 0x20 : 0) + (is_jump ? word_ : 0) - depth_;
  }
  [[nodiscard]] bool is_stack_argument(const Place& place, bool is_jump) const {
    if (place.kind != Place::kStored || place.reg != kSp) return false;
    const std::int64_t offset = std::int64_t{place.offset} - first_argument(is_jump);
    return offset >= 0 && offset < (is_x64_ ? 0x50 : 0x24) && offset % word_ == 0;
  }
  /// All arguments before it were stored for this call.
  [[nodiscard]] bool follows_arguments(const Place& place, bool is_jump) const {
    for (std::int64_t at = first_argument(is_jump); at < place.offset; at += word_)
      if (std::find(filled_.begin(), filled_.end(), at) == filled_.end()) return false;
    return true;
  }

  void call(const PeImport* import, bool is_jump) {
    const TagCall shape = tag_call(import);
    if (!pending_.empty()) {
      switch (shape.kind) {
        case TagCall::kTagged: call_tagged(shape, is_jump); break;
        case TagCall::kNoTag: call_without_tag(is_jump); break;
        case TagCall::kUnknown: is_jump ? jump() : call_unknown(); break;
      }
    }
    if (is_jump && shape.kind == TagCall::kUnknown) return;
    for (unsigned reg = 0; reg < held_.size(); ++reg) {
      if (!is_volatile(reg, is_x64_)) continue;
      held_[reg] = {};
      imports_[reg] = nullptr;
    }
    filled_.clear();
    if (stored_on_ != 0)
      for (Store& store : stores_) store.text = Store::kNone;
    if (!is_x64_) popped_ = Popped{shape.kind == TagCall::kTagged ? shape.words * word_ : pushed_bytes_};
    pushed_bytes_ = 0;
  }

  /// On x86 a function takes its arguments off the stack, and gcc puts the stack's end back at once; or the caller does.
  void after_call(const Instruction& in) {
    const std::int32_t popped = popped_->bytes;
    popped_.reset();
    const bool of_stack = in.map == OpcodeMap::kOneByte && (in.opcode == 0x83 || in.opcode == 0x81) && in.mod() == 3 &&
                          in.rm() == kSp;
    if (of_stack && in.digit() == 0) return;
    // gcc, with arguments that were stored: what it takes again is what went.
    depth_ -= of_stack && in.digit() == 5 ? number_in(in) : popped;
  }

  void call_tagged(const TagCall& shape, bool is_jump) {
    Place wanted{Place::kRegister, 0, 0};
    if (is_x64_ && shape.argument < kArguments.size()) {
      wanted.reg = kArguments[shape.argument];
    } else {
      const std::int32_t words = is_x64_ ? shape.argument - 4 : shape.word;
      wanted = {Place::kStored, kSp, first_argument(is_jump) + words * word_};
    }
    const auto is_wanted = [&](const Pending& one) { return one.place == wanted; };
    auto found = std::find_if(pending_.rbegin(), pending_.rend(), is_wanted);
    if (found == pending_.rend())
      found = std::find_if(pending_.rbegin(), pending_.rend(), [](const Pending& one) { return one.passed_by; });
    if (found != pending_.rend()) {
      finds_.add(found->what.tag, Evidence::kArgument);
      pending_.erase(std::next(found).base());
    }
    const std::int64_t end = is_x64_ ? std::int64_t{first_argument(is_jump)} + 0x50
                                     : std::int64_t{first_argument(is_jump)} + shape.words * word_;
    erase([&](const Pending& one) {
      if (one.place.kind == Place::kRegister) return is_x64_ && is_argument(one.place.reg);
      return is_stack_argument(one.place, is_jump) && one.place.offset < end;
    });
    drop([](const Pending& one) { return !one.is_pushed; });
  }

  void call_without_tag(bool is_jump) {
    erase([&](const Pending& one) {
      if (one.place.kind == Place::kRegister) return is_argument(one.place.reg) && number_ - one.since <= kWindow;
      return !one.is_pushed && is_stack_argument(one.place, is_jump) && follows_arguments(one.place, is_jump);
    });
    drop([](const Pending& one) { return !one.is_pushed; });
    for (Pending& one : pending_) one.passed_by = true;
  }

  void call_unknown() {
    for (const Pending& one : pending_) {
      if (one.passed_by) continue;
      const bool is_near = number_ - one.since <= kWindow;
      const bool handed = is_near && !one.what.only_known &&
                          (one.place.kind == Place::kRegister
                               ? is_argument(one.place.reg)
                               : one.is_pushed || (is_stack_argument(one.place, false) &&
                                                   (!one.beside_text || follows_arguments(one.place, false))));
      handed ? finds_.add(one.what.tag, Evidence::kArgument) : settle(one);
    }
    pending_.clear();
  }

  /// Away from here: the last call of a function, or just a branch.
  void jump() {
    for (const Pending& one : pending_) {
      const bool handed = one.place.kind == Place::kRegister && is_argument(one.place.reg) && !one.what.only_known &&
                          number_ - one.since <= kWindow / 2;
      handed ? finds_.add(one.what.tag, Evidence::kArgument) : settle(one);
    }
    pending_.clear();
  }

  void end_of_function() {
    drop([](const Pending&) { return true; });
    held_.fill({});
    imports_.fill(nullptr);
    filled_.clear();
    if (stored_on_ != 0) stores_.fill({});
    stored_on_ = 0;
    depth_ = pushed_bytes_ = 0;
    popped_.reset();
  }

  /// Something else is stored there.
  void replace(const Place& place) {
    drop([&](const Pending& one) { return one.place == place; });
  }
  template <typename Which>
  void drop(Which which) {
    if (pending_.empty()) return;
    for (const Pending& one : pending_)
      if (which(one)) settle(one);
    std::erase_if(pending_, which);
  }
  template <typename Which>
  void erase(Which which) {
    if (!pending_.empty()) std::erase_if(pending_, which);
  }
  void settle_oldest() {
    settle(pending_.front());
    pending_.erase(pending_.begin());
  }
  void settle(const Pending& one) {
    if (!one.beside_text && !one.passed_by && one.what.least != Evidence{}) finds_.add(one.what.tag, one.what.least);
  }

  struct Popped {
    std::int32_t bytes = 0;
  };

  const PeImage& image_;
  std::span<const std::byte> code_;
  std::uint32_t address_;
  bool is_x64_;
  std::int32_t word_;
  Finds& finds_;
  std::size_t at_ = 0;
  std::uint32_t number_ = 0;
  std::array<Constant, 16> held_{};
  std::array<const PeImport*, 16> imports_{};
  std::vector<Pending> pending_;
  std::array<Store, 16> stores_{};
  std::size_t stored_ = 0;
  std::uint32_t stored_on_ = 0;            // bases of stores_, a bit each
  std::vector<std::int32_t> filled_;       // words of the stack that were stored since the last call
  std::int32_t depth_ = 0;                 // bytes on the stack since the function's start, as far as known
  std::int32_t pushed_bytes_ = 0;          // since the last call
  std::optional<Popped> popped_;           // by a call right before
  Loads loads_;
};

}  // namespace

void scan_x86_code(const PeImage& image, const PeSection& section, Finds& finds) {
  CodeReader(image, section, finds).read();
}

}  // namespace kmem::drivers
