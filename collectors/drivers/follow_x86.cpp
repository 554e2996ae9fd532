#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "collectors/drivers/tag_flow.h"
#include "collectors/drivers/x86_instruction.h"

namespace kmem::drivers {
namespace {

using Id = ValueSets::Id;
constexpr unsigned kAccumulator = 0, kCounter = 1, kData = 2, kStackPointer = 4, kFramePointer = 5;
constexpr unsigned kVectors = 16;  // registers[16 + n] is xmm n
constexpr std::uint32_t kNear = 8, kMostRows = 256;
constexpr std::size_t kMostTimes = 4;       // that a byte of code is read, on average
constexpr std::size_t kMostEntries = 4096;  // of a function

/// Whose callers take the arguments off the stack; the kernel's other functions do it themselves.
bool is_cdecl(std::string_view name) {
  constexpr std::array<std::string_view, 8> kBegins = {"DbgPrint", "mem", "str", "wcs", "_", "sprintf", "swprintf", "vsn"};
  return std::any_of(kBegins.begin(), kBegins.end(), [&](std::string_view begin) { return name.starts_with(begin); });
}

class X86Follower {
 public:
  X86Follower(const PeImage& image, TagFlow& flow)
      : image_(image), flow_(flow), values_(flow.values()), is_x64_(image.machine == Machine::kX64), word_(is_x64_ ? 8 : 4) {}

  void run() {
    for (const PeSection& section : image_.sections)
      if (section.executable && !section.for_loader) find_starts(section);
    for (const PeSection& section : image_.sections)
      if (section.executable && !section.for_loader) read(section);
    if (left_ == 0) flow_.lose();
  }

 private:
  struct Function {
    std::uint32_t pops = 0;  // bytes of arguments that it takes off the stack
  };

  void find_starts(const PeSection& section) {
    enter(section);
    // A function's `ret n` belongs to the last start before it.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> returns;
    for (std::size_t at = 0; at < code_.size();) {
      const Instruction in = decode_x86(code_, at, is_x64_);
      at_ = at;
      if (in.length != 0 && in.map == OpcodeMap::kOneByte) {
        if (in.opcode == 0xE8 && in.immediate_bytes == 4) starts_[target(in)];
        // The last call of a function is a jump.
        if (in.opcode == 0xE9 && in.immediate_bytes == 4 && target(in) % 16 == 0 && follows_end(target(in)))
          starts_[target(in)];
        if (in.opcode == 0xC2) returns.emplace_back(here(), dword(in.immediate_at) & 0xFFFF);
      }
      at += std::max<std::size_t>(in.length, 1);
    }
    for (const auto& [address, bytes] : returns)
      if (auto after = starts_.upper_bound(address); after != starts_.begin()) std::prev(after)->second.pops = bytes;
  }

  [[nodiscard]] bool follows_end(std::uint32_t address) const {
    if (address == base_) return true;
    if (address - base_ >= code_.size()) return false;
    const auto before = static_cast<std::uint8_t>(code_[address - base_ - 1]);
    return before == 0xCC || before == 0x90 || before == 0xC3;
  }

  void enter(const PeSection& section) {
    code_ = section.bytes;
    base_ = section.address;
  }

  void read(const PeSection& section) {
    enter(section);
    left_ += kMostTimes * code_.size();
    for (std::size_t at = 0; at < code_.size() && left_ != 0;) {
      if (const std::size_t filling = filling_at(at) + thunk_at(at); filling != 0) {  // between functions
        at += filling;
        continue;
      }
      at = std::max(function(at), at + 1);
      // What this one has jumped over is others'.
      while (!passed_.empty()) {
        const std::size_t other = passed_.back();
        passed_.pop_back();
        if (known_.insert(base_ + static_cast<std::uint32_t>(other)).second) function(other);
      }
    }
  }
  /// Bytes of a jump through the import table, which is followed where it is called.
  [[nodiscard]] std::size_t thunk_at(std::size_t at) const {
    const std::uint32_t address = base_ + static_cast<std::uint32_t>(at);
    return import_behind(address) == nullptr ? 0 : 6;
  }
  [[nodiscard]] const PeImport* import_behind(std::uint32_t thunk) const {
    const auto head = image_.dword_at(thunk), tail = image_.dword_at(thunk + 2);
    if (!head || !tail || (*head & 0xFFFF) != 0x25FF) return nullptr;
    return image_.import_at(is_x64_ ? thunk + 6 + *tail : *tail - static_cast<std::uint32_t>(image_.base));
  }
  /// Bytes of an instruction that does nothing, as compilers put it between functions.
  [[nodiscard]] std::size_t filling_at(std::size_t at) const {
    const auto byte = static_cast<std::uint8_t>(code_[at]);
    if (byte == 0xCC || byte == 0x90 || byte == 0) return 1;
    if (byte != 0x66 && byte != 0x2E && byte != 0x0F && byte != 0x8D) return 0;
    const Instruction in = decode_x86(code_, at, is_x64_);
    if (in.length == 0) return 0;
    if (in.map == OpcodeMap::kTwoByte) return in.opcode == 0x1F ? in.length : 0;
    if (in.opcode == 0x90 && in.map == OpcodeMap::kOneByte) return in.length;
    // lea esi, [esi+0]
    const bool keeps =
        in.opcode == 0x8D && in.mod() != 3 && in.mod() != 0 && (in.has_sib ? in.sib & 7U : in.modrm & 7U) == in.digit();
    return keeps && !is_x64_ && !in.operand16 ? in.length : 0;
  }

  /// Where it ends.
  std::size_t function(std::size_t begin) {
    function_ = base_ + static_cast<std::uint32_t>(begin);
    entries_.clear();
    const std::size_t passed = passed_.size();
    std::size_t end = begin;
    for (int pass = 0; pass < kMostPasses; ++pass) {
      seen_.clear();
      passed_.resize(passed);
      changed_ = false;
      end = once(begin);
      if (!changed_) break;
    }
    for (auto& [address, state] : entries_) {
      if (address < base_ + end) continue;
      state_ = state;  // a jump to another function
      at_ = 0;
      hand_over(nullptr, address, true);
    }
    flow_.add(function_, std::move(seen_));
    seen_ = {};
    return end;
  }

  std::size_t once(std::size_t begin) {
    state_ = {};
    state_.registers[kStackPointer] = values_.one({Origin::kStack, 0, 0});
    if (is_x64_) {
      constexpr std::array<unsigned, 4> kOrder = {1, 2, 8, 9};
      for (std::uint32_t i = 0; i < kOrder.size(); ++i) state_.registers[kOrder[i]] = values_.one({Origin::kParameter, i, 0});
    } else {
      state_.registers[kCounter] = values_.one({Origin::kParameter, 8, 0});
      state_.registers[kData] = values_.one({Origin::kParameter, 9, 0});
      state_.registers[kAccumulator] = values_.one({Origin::kParameter, 10, 0});
    }
    is_reached_ = true;
    has_table_ = passes_ = false;
    pushed_ = 0;
    std::size_t at = begin;
    for (; at < code_.size() && left_ != 0; --left_) {
      const std::uint32_t address = base_ + static_cast<std::uint32_t>(at);
      if (address != function_ && starts_.contains(address)) break;
      if (const auto entry = entries_.find(address); entry != entries_.end()) {
        if (is_reached_) {
          flow_.merge(state_, entry->second, 0);
        } else {
          state_ = entry->second;
        }
        is_reached_ = true;
      }
      passes_ = passes_ && !is_reached_;
      if (!is_reached_) {
        const bool goes_on = !entries_.empty() && entries_.rbegin()->first > address;
        if (const std::size_t filling = filling_at(at); filling != 0 && (goes_on || has_table_)) {
          at += filling;
          continue;
        }
        if (has_table_) {
          state_ = by_table_;  // a case of a switch
          is_reached_ = true;
        } else if (!goes_on) {
          break;
        } else if (!passes_) {
          passed_.push_back(at);
          passes_ = true;
        }
      }
      const Instruction in = decode_x86(code_, at, is_x64_);
      if (in.length == 0) {
        if (is_reached_) break;
        ++at;
        continue;
      }
      at_ = at;
      next_ = at + in.length;
      if (is_reached_) take(in);
      at = next_;
    }
    return at;
  }
  [[nodiscard]] std::uint32_t here() const { return base_ + static_cast<std::uint32_t>(at_); }
  [[nodiscard]] std::uint32_t dword(std::size_t offset) const {
    std::uint32_t value = 0;
    if (at_ + offset + 4 <= code_.size()) {
      std::memcpy(&value, code_.data() + at_ + offset, sizeof value);
    } else if (at_ + offset + 2 <= code_.size()) {
      std::memcpy(&value, code_.data() + at_ + offset, 2);
    }
    return value;
  }
  [[nodiscard]] std::uint32_t signed_at(std::size_t offset, std::size_t bytes) const {
    if (bytes >= 4) return dword(offset);
    if (bytes == 2) return static_cast<std::uint32_t>(static_cast<std::int16_t>(dword(offset) & 0xFFFF));
    return bytes == 0 ? 0 : static_cast<std::uint32_t>(static_cast<std::int8_t>(code_[at_ + offset]));
  }
  [[nodiscard]] std::uint32_t immediate(const Instruction& in) const { return signed_at(in.immediate_at, in.immediate_bytes); }
  [[nodiscard]] std::uint32_t target(const Instruction& in) const {
    return here() + in.length + signed_at(in.immediate_at, in.immediate_bytes);
  }

  /// x86: a number that is an address of the image is one.
  Id constant(std::uint32_t value, std::uint32_t upper = 0) {
    const std::uint32_t address = value - static_cast<std::uint32_t>(image_.base);
    if (!is_x64_ && address < image_.size_bytes) return image(address);
    return values_.number(value, upper);
  }
  /// The address of something is a value here.
  Id taken(Id value) {
    for (const Origin& one : values_.of(value))
      if (one.kind == Origin::kImage || one.kind == Origin::kTable) seen_.taken.push_back(one.value);
    return value;
  }
  Id image(std::uint32_t address) {
    seen_.addresses.push_back(address);
    return values_.one({Origin::kImage, address, 0});
  }

  Id& reg(unsigned index) { return state_.registers[index]; }
  void set(unsigned index, Id value) {
    if (index == kStackPointer && !stack_offset(value)) return;  // aligned: as good as before
    // What is not known here is the same wherever it goes.
    state_.registers[index] = value == ValueSets::kUnknown ? values_.one({Origin::kAny, 1, here()}) : value;
  }
  [[nodiscard]] std::optional<std::int32_t> stack_offset(Id value) const {
    for (const Origin& origin : values_.of(value))
      if (origin.kind == Origin::kStack) return static_cast<std::int32_t>(origin.value);
    return std::nullopt;
  }
  [[nodiscard]] std::int32_t depth() const { return stack_offset(state_.registers[kStackPointer]).value_or(0); }
  void move_stack(std::int32_t by) {
    reg(kStackPointer) = values_.one({Origin::kStack, static_cast<std::uint32_t>(depth() + by), 0});
  }

  Id address_of(const Instruction& in) {
    const unsigned mod = in.mod(), rm = in.modrm & 7U;
    const std::uint32_t moved = signed_at(in.displacement_at, in.displacement_bytes);
    if (mod == 0 && rm == 5) {
      if (is_x64_) return image(here() + in.length + moved);
      return constant(moved);
    }
    // A displacement of x86 may be a table's address; of both, a number.
    Id address = in.displacement_bytes == 4 ? constant(moved) : values_.number(moved);
    if (!in.has_sib) return values_.add(address, reg(in.rm()));
    const unsigned base = (in.sib & 7U) | ((in.rex & 1U) << 3), index = ((in.sib >> 3) & 7U) | ((in.rex & 2U) << 2);
    const bool has_base = mod != 0 || (in.sib & 7U) != 5;
    const std::uint32_t times = 1U << (in.sib >> 6);
    if (index == kStackPointer) return has_base ? values_.add(address, reg(base)) : address;
    if (has_base && base == index) return values_.add(address, values_.scale(reg(base), times + 1));
    if (has_base) address = values_.add(address, reg(base));
    return values_.add(address, values_.scale(reg(index), times));
  }
  Id load(Id address) { return flow_.loaded(state_, address, last_displacement_); }
  /// cmp index, number; ja: what is read from a table next has so many rows. lea index, [other-1] before it: by the other,
  /// the first is not number 0.
  void note_bound(const Instruction& in) {
    const std::uint8_t kind = in.opcode & 0xF;
    if (compared_.since + 1 == number_ && (kind == 3 || kind == 7) && compared_.rows < kMostRows)
      bound_ = {compared_.rows + (kind == 7 ? 1 : 0), number_, compared_.index};
  }
  void note_compared(const Instruction& in) {
    if (in.immediate_bytes == 0 || in.mod() != 3) return;
    compared_ = {immediate(in), number_, (in.opcode & 0xC4) == 4 ? kAccumulator : in.rm()};
  }
  Id load_row(const Instruction& in, Id address) {
    if (!in.has_sib || number_ - bound_.since > kNear) return load(address);
    const unsigned base = (in.sib & 7U) | ((in.rex & 1U) << 3), index = ((in.sib >> 3) & 7U) | ((in.rex & 2U) << 2);
    std::uint32_t first = 0;
    if (index != bound_.index && base != bound_.index) {
      const bool is_other = moved_.to == bound_.index && (moved_.from == index || moved_.from == base);
      if (!is_other) return load(address);
      first = 0 - moved_.by;
    }
    std::uint32_t row = 0;
    for (const Origin& one : values_.of(address))
      if (one.kind == Origin::kTable) row = one.more;
    return flow_.loaded(state_, values_.add(address, values_.number(first * row)), last_displacement_, bound_.rows);
  }
  Id operand(const Instruction& in) { return in.mod() == 3 ? reg(in.rm()) : load_row(in, address_of(in)); }

  void store(Id address, Id value, bool wide) {
    for (const Origin& origin : values_.of(address)) {
      if (origin.kind == Origin::kStack) {
        if (origin.more != 0) return;
        state_.store(static_cast<std::int32_t>(origin.value), value);
        if (wide) state_.store(static_cast<std::int32_t>(origin.value) + 4, upper_of(value));
        return;
      }
      if (origin.kind == Origin::kImage) {
        seen_.stored.emplace_back(origin.value, value);
        if (wide) seen_.stored.emplace_back(origin.value + 4, upper_of(value));
        note_field(origin, value);
        return;
      }
    }
    note_field(values_.of(address).front(), value);
  }
  /// What lies behind a pointer may be read as a tag elsewhere.
  void note_field(const Origin& pointer, Id value) {
    for (const Origin& one : values_.of(value)) {
      if (one.kind != Origin::kNumber && one.kind != Origin::kParameter) continue;
      const bool is_number = one.kind == Origin::kNumber;
      note_number(pointer, is_number ? one.value : 0, 0, 4, values_.one(is_number ? Origin{one.kind, one.value, 0} : one));
      if (is_number && one.more != 0) note_number(pointer, one.more, 4, 4, values_.number(one.more));
    }
  }
  void note_number(const Origin& pointer, std::uint32_t value, std::uint32_t moved, std::uint8_t bytes,
                   Id from = ValueSets::kUnknown) {
    std::uint32_t offset = last_displacement_, of = last_base_;
    if (pointer.kind == Origin::kParameter) offset = pointer.more, of = 0x100 + pointer.value;
    if (pointer.kind == Origin::kImage) offset = pointer.value, of = TagFlow::Seen::kOfImage;
    seen_.fields.push_back({of, offset + moved, value, bytes, from});
  }
  void store_narrow(const Instruction& in) {
    if (in.mod() == 3) return;
    const std::uint32_t value = in.opcode == 0xC6 || in.opcode == 0xC7 ? immediate(in) : ' ';
    const Origin to = values_.of(address_of(in)).front();
    if (to.kind != Origin::kStack) note_number(to, value & 0xFFFF, 0, in.opcode == 0xC7 || in.opcode == 0x89 ? 2 : 1);
  }
  Id upper_of(Id value) {
    const auto origins = values_.of(value);
    if (origins.size() == 1 && origins[0].kind == Origin::kNumber) return values_.number(origins[0].more);
    return ValueSets::kUnknown;
  }

  void take(const Instruction& in) {
    ++number_;
    last_displacement_ = signed_at(in.displacement_at, in.displacement_bytes);
    last_base_ = in.rm();
    if (in.map == OpcodeMap::kTwoByte) return take_two_byte(in);
    if (in.map != OpcodeMap::kOneByte) return;
    const std::uint8_t op = in.opcode;
    const unsigned low = (op & 7U) | ((in.rex & 1U) << 3);
    if (op < 0x40 && (op & 7U) < 6) return arithmetic(in);
    switch (op & 0xF8) {
      case 0x40: return set(op & 7U, values_.add(reg(op & 7U), values_.number(1)));
      case 0x48: return set(op & 7U, values_.add(reg(op & 7U), values_.number(UINT32_MAX)));
      case 0x50: return push(reg(low));
      case 0x58: return pop(low);
      case 0x70: note_bound(in); return branch(target(in));
      case 0x78: return branch(target(in));
      case 0x90: return op == 0x90 && in.rex == 0 ? void() : std::swap(reg(kAccumulator), reg(low));
      case 0xB0: return set(in.rex != 0 ? low : low & 3U, ValueSets::kUnknown);
      case 0xB8:
        if (in.immediate_bytes == 8) return set(low, taken(wide_constant(dword(in.immediate_at), dword(in.immediate_at + 4))));
        return set(low, in.operand16 ? ValueSets::kUnknown : taken(constant(dword(in.immediate_at))));
      default: break;
    }
    switch (op) {
      case 0x63: return set(in.reg(), is_x64_ ? operand(in) : reg(in.reg()));
      case 0x68:
      case 0x6A: return push(taken(constant(immediate(in))));
      case 0x69:
      case 0x6B: return set(in.reg(), values_.scale(operand(in), immediate(in)));
      case 0x80:
      case 0x82:
        if (in.mod() == 3 && in.digit() != 7) narrow(in);
        return;
      case 0x81:
      case 0x83: return arithmetic_number(in);
      case 0x86:
        if (in.mod() == 3) narrow(in);
        return;
      case 0x87:
        if (in.mod() == 3) return std::swap(reg(in.reg()), reg(in.rm()));
        return set(in.reg(), operand(in));
      case 0x88: return in.mod() == 3 ? narrow(in) : store_narrow(in);
      case 0x89:
        if (in.operand16) store_narrow(in);
        if (in.mod() == 3) return set(in.rm(), in.operand16 ? ValueSets::kUnknown : reg(in.reg()));
        return store(address_of(in), in.operand16 ? ValueSets::kUnknown : reg(in.reg()), in.wide());
      case 0x8A: return set(in.rex != 0 ? in.reg() : in.reg() & 3U, ValueSets::kUnknown);
      case 0x8B: return set(in.reg(), in.operand16 ? ValueSets::kUnknown : operand(in));
      case 0x8D:
        if (in.displacement_bytes == 1 && !in.has_sib) moved_ = {in.reg(), in.rm(), last_displacement_};
        return in.mod() == 3 ? void() : set(in.reg(), taken(address_of(in)));
      case 0x8F: return pop(in.mod() == 3 ? in.rm() : kNowhere);
      case 0x98: return;
      case 0x99: return set(kData, values_.join(values_.number(0), values_.number(UINT32_MAX)));
      case 0xA1: return set(kAccumulator, is_x64_ ? ValueSets::kUnknown : load(constant(dword(in.immediate_at))));
      case 0xA3: return is_x64_ ? void() : store(constant(dword(in.immediate_at)), reg(kAccumulator), false);
      case 0xC0:
      case 0xD0:
      case 0xD2: return in.mod() == 3 ? narrow(in) : void();
      case 0xC1: return in.mod() == 3 ? shift(in, immediate(in) & 31) : void();
      case 0xD1: return in.mod() == 3 ? shift(in, 1) : void();
      case 0xD3: return in.mod() == 3 ? set(in.rm(), ValueSets::kUnknown) : void();
      case 0xC3:
      case 0xC2:
        seen_.returns.push_back(reg(kAccumulator));
        is_reached_ = false;
        return;
      case 0xC6: return store_narrow(in);
      case 0xC7: {
        if (in.operand16) store_narrow(in);
        const Id value = in.operand16 ? ValueSets::kUnknown : taken(constant(immediate(in)));
        return in.mod() == 3 ? set(in.rm(), value) : store(address_of(in), value, in.wide());
      }
      case 0xC9:
        if (const auto frame = stack_offset(reg(kFramePointer))) {
          reg(kStackPointer) = values_.one({Origin::kStack, static_cast<std::uint32_t>(*frame), 0});
          pop(kFramePointer);
        }
        return;
      case 0xCC: is_reached_ = false; return;
      case 0xE3: return branch(target(in));
      case 0xE8: return call(in);
      case 0xE9:
      case 0xEB: return jump(in);
      case 0xF6:
        if (in.digit() > 1) set(kAccumulator, ValueSets::kUnknown);
        return;
      case 0xF7: return unary(in);
      case 0xFE: return in.mod() == 3 ? narrow(in) : void();
      case 0xFF: return take_ff(in);
      default: return;
    }
  }

  void take_ff(const Instruction& in) {
    switch (in.digit()) {
      case 0:
      case 1:
        if (in.mod() == 3) return set(in.rm(), values_.add(reg(in.rm()), values_.number(in.digit() == 0 ? 1 : UINT32_MAX)));
        return change(in, 0, values_.number(in.digit() == 0 ? 1 : UINT32_MAX));
      case 2: return call(in);
      case 4: return jump(in);
      case 6: return push(operand(in));
      default: return;
    }
  }

  void take_two_byte(const Instruction& in) {
    const std::uint8_t op = in.opcode;
    if ((op & 0xF0) == 0x80) return note_bound(in), branch(target(in));
    if ((op & 0xF0) == 0x90) {  // setcc
      if (in.mod() == 3) set(in.rex != 0 ? in.rm() : in.rm() & 3U, values_.mask(ValueSets::kUnknown, 1));
      return;
    }
    if ((op & 0xF0) == 0x40) return set(in.reg(), values_.join(reg(in.reg()), operand(in)));
    switch (op) {
      case 0x0B: is_reached_ = false; return;  // ud2
      case 0x10:
      case 0x28:
      case 0x6F: reg(kVectors + in.reg()) = in.mod() == 3 ? reg(kVectors + in.rm()) : load_vector(address_of(in)); return;
      case 0x11:
      case 0x29:
      case 0x7F:
        if (in.mod() == 3) {
          reg(kVectors + in.rm()) = reg(kVectors + in.reg());
        } else {
          store_vector(address_of(in), reg(kVectors + in.reg()));
        }
        return;
      case 0xAF:
        return set(in.reg(),
                   values_.combine(reg(in.reg()), operand(in), [](std::uint32_t a, std::uint32_t b) { return a * b; }));
      case 0xB6:
      case 0xBE: set(in.reg(), in.mod() == 3 && is_small(reg(in.rm())) ? reg(in.rm()) : ValueSets::kUnknown); return;
      case 0xB7:
      case 0xBF:
      case 0xA2:
      case 0xBC:
      case 0xBD:
      case 0xB8: return set(in.reg(), ValueSets::kUnknown);
      default:
        // Of the rest, those that begin with xmm registers change them.
        if (op >= 0x12 && op < 0x80 && (op < 0x30 || op >= 0x50)) reg(kVectors + in.reg()) = ValueSets::kUnknown;
        return;
    }
  }
  [[nodiscard]] bool is_small(Id value) const {
    const auto origins = values_.of(value);
    return std::all_of(origins.begin(), origins.end(),
                       [](const Origin& one) { return one.kind == Origin::kNumber && one.value < 0x80; });
  }
  Id load_vector(Id address) {
    const auto origins = values_.of(address);
    return origins.size() == 1 && origins[0].kind == Origin::kImage ? values_.one({Origin::kVector, origins[0].value, 0})
                                                                    : ValueSets::kUnknown;
  }
  void store_vector(Id address, Id value) {
    const auto origins = values_.of(address);
    const Origin vector = values_.of(value).front();
    if (origins.size() != 1) return;
    const Origin to = origins[0];
    for (std::uint32_t i = 0; i < 16; i += 4) {
      const auto word = vector.kind == Origin::kVector ? image_.dword_at(vector.value + i) : std::nullopt;
      const Id part = word ? values_.number(*word) : ValueSets::kUnknown;
      if (to.kind == Origin::kStack) {
        state_.store(static_cast<std::int32_t>(to.value + i), part);
      } else if (word) {
        note_number(to, *word, i, 4, part);
        if (to.kind == Origin::kImage) seen_.stored.emplace_back(to.value + i, part);
      }
    }
  }
  Id wide_constant(std::uint32_t low, std::uint32_t high) {
    const std::uint64_t value = low | std::uint64_t{high} << 32;
    if (value - image_.base < image_.size_bytes) return image(static_cast<std::uint32_t>(value - image_.base));
    return values_.number(low, high);
  }

  void narrow(const Instruction& in) { set(in.rex != 0 ? in.rm() : in.rm() & 3U, ValueSets::kUnknown); }

  Id calculated(unsigned kind, Id to, Id by) {
    switch (kind) {
      case 0: return values_.add(to, by);
      case 1: return values_.combine(to, by, [](std::uint32_t a, std::uint32_t b) { return a | b; });
      case 2: {  // adc
        const Id sum = values_.add(to, by);
        return values_.join(sum, values_.add(sum, values_.number(1)));
      }
      case 3: {  // sbb
        const Id rest = values_.add(to, values_.scale(by, UINT32_MAX));
        return values_.join(rest, values_.add(rest, values_.number(UINT32_MAX)));
      }
      case 4: {
        const auto bits = values_.of(by);
        return bits.size() == 1 && bits[0].kind == Origin::kNumber
                   ? values_.mask(to, bits[0].value)
                   : values_.combine(to, by, [](std::uint32_t a, std::uint32_t b) { return a & b; });
      }
      case 5: return values_.add(to, values_.scale(by, UINT32_MAX));
      case 6: return values_.combine(to, by, [](std::uint32_t a, std::uint32_t b) { return a ^ b; });
      default: return to;
    }
  }
  void arithmetic(const Instruction& in) {
    const unsigned kind = (in.opcode >> 3) & 7U, form = in.opcode & 7U;
    if (kind == 7) return note_compared(in);
    if (form == 4) return set(kAccumulator, ValueSets::kUnknown);
    if (form == 5) return set(kAccumulator, calculated(kind, reg(kAccumulator), constant(immediate(in))));
    const unsigned to = (form & 2U) != 0 ? in.reg() : in.rm();
    if ((form & 2U) == 0 && in.mod() != 3) return change(in, kind, (form & 1U) != 0 ? reg(in.reg()) : ValueSets::kUnknown);
    if ((form & 1U) == 0) return set(in.rex != 0 ? to : to & 3U, ValueSets::kUnknown);
    if (in.operand16) return set(to, ValueSets::kUnknown);
    if (in.mod() == 3 && in.reg() == in.rm()) {
      if (kind == 3) return set(to, values_.join(values_.number(0), values_.number(UINT32_MAX)));
      if (kind == 5 || kind == 6) return set(to, values_.number(0));
      if (kind == 0) return set(to, values_.scale(reg(to), 2));
      if (kind == 1 || kind == 4) return;
    }
    const Id by = (form & 2U) != 0 ? operand(in) : reg(in.reg());
    set(to, calculated(kind, reg(to), by));
  }
  /// Of a variable; elsewhere nobody knows what was there.
  void change(const Instruction& in, unsigned kind, Id by) {
    const Id address = address_of(in);
    if (const auto offset = stack_offset(address)) state_.store(*offset, calculated(kind, load(address), by));
  }
  void arithmetic_number(const Instruction& in) {
    if (in.digit() == 7) return note_compared(in);
    if (in.mod() != 3) return change(in, in.digit(), values_.number(immediate(in)));
    if (in.rm() == kStackPointer && in.digit() != 0 && in.digit() != 5) return;
    const std::uint32_t number = immediate(in);
    set(in.rm(), in.operand16
                     ? ValueSets::kUnknown
                     : calculated(in.digit(), reg(in.rm()), in.digit() == 0 ? constant(number) : values_.number(number)));
  }
  void shift(const Instruction& in, unsigned by) {
    Id& to = reg(in.rm());
    if (in.digit() == 4 || in.digit() == 6) {
      to = values_.scale(to, 1U << by);
    } else {
      const auto down = [&](std::uint32_t a, std::uint32_t bits) {
        return in.digit() == 7 ? static_cast<std::uint32_t>(static_cast<std::int32_t>(a) >> bits) : a >> bits;
      };
      const Id moved = values_.combine(to, values_.number(by), down);
      // The sign, or a bit or two.
      if (moved == ValueSets::kUnknown && by == 31 && in.digit() == 7) {
        to = values_.join(values_.number(0), values_.number(UINT32_MAX));
      } else if (moved == ValueSets::kUnknown && in.digit() == 5) {
        to = values_.mask(to, UINT32_MAX >> by);
      } else {
        to = in.digit() < 4 ? ValueSets::kUnknown : moved;
      }
    }
  }
  void unary(const Instruction& in) {
    switch (in.digit()) {
      case 0:
      case 1: return;
      case 2:
        if (in.mod() == 3)
          set(in.rm(), values_.combine(reg(in.rm()), values_.number(0), [](std::uint32_t a, std::uint32_t) { return ~a; }));
        return;
      case 3:
        if (in.mod() == 3)
          set(in.rm(), values_.combine(reg(in.rm()), values_.number(0), [](std::uint32_t a, std::uint32_t) { return 0 - a; }));
        return;
      default: set(kAccumulator, ValueSets::kUnknown); set(kData, ValueSets::kUnknown);
    }
  }

  void push(Id value) {
    move_stack(-word_);
    pushed_ += word_;
    state_.store(depth(), value);
  }
  void pop(unsigned to) {
    const Id value = load(reg(kStackPointer));
    move_stack(word_);
    if (to != kNowhere) set(to, value);
  }

  void branch(std::uint32_t to) {
    if (to - base_ >= code_.size()) return;
    if (entries_.size() == kMostEntries && !entries_.contains(to)) return flow_.lose();
    const auto [entry, is_new] = entries_.try_emplace(to, state_);
    if (is_new) {
      changed_ = changed_ || to <= here();
      return;
    }
    FlowState merged = entry->second;
    flow_.merge(merged, state_, to <= here() ? to : 0);
    if (merged == entry->second) return;
    entry->second = std::move(merged);
    changed_ = changed_ || to <= here();
  }

  struct Callee {
    const PeImport* import = nullptr;
    std::uint32_t own = 0;
  };
  Callee callee(const Instruction& in) {
    if (in.opcode == 0xFF) {
      const Origin to = values_.of(operand(in)).front();
      if (values_.of(operand(in)).size() != 1) return {};
      if (to.kind == Origin::kImport) return {&image_.imports[to.value], 0};
      if (to.kind == Origin::kImage) return {nullptr, to.value};
      return {};
    }
    const std::uint32_t to = target(in);
    // As linkers make them for calls that did not know better.
    if (const PeImport* const import = import_behind(to)) return {import, 0};
    return {nullptr, to};
  }

  void hand_over(const PeImport* import, std::uint32_t own, bool is_jump) {
    TagFlow::Call call;
    call.from = function_;
    call.to = own;
    call.shape = tag_call(import);
    const std::int32_t first = depth() + (is_jump ? word_ : 0);
    const auto argument = [&](std::int32_t word) {
      if (is_x64_ && word < 4) return reg(std::array<unsigned, 4>{1, 2, 8, 9}[static_cast<std::size_t>(word)]);
      return load(values_.one({Origin::kStack, static_cast<std::uint32_t>(first + word * word_), 0}));
    };
    if (call.shape.kind == TagCall::kTagged) {
      call.tag = argument(is_x64_ ? call.shape.argument : call.shape.word);
    } else if (call.shape.kind == TagCall::kUnknown) {
      for (std::int32_t i = 0; i < 8; ++i) call.arguments[static_cast<std::size_t>(i)] = argument(i);
      if (!is_x64_) call.arguments[8] = reg(kCounter), call.arguments[9] = reg(kData), call.arguments[10] = reg(kAccumulator);
      flow_.note_fields(call, state_);
    } else {
      return;
    }
    seen_.calls.push_back(std::move(call));
  }

  void call(const Instruction& in) {
    const Callee to = callee(in);
    hand_over(to.import, to.own, false);
    if (!is_x64_) take_off(to);
    reg(kAccumulator) = to.own != 0 ? values_.one({Origin::kResult, to.own, 0}) : ValueSets::kUnknown;
    reg(kCounter) = reg(kData) = ValueSets::kUnknown;
    if (is_x64_)
      for (unsigned i = 8; i < 12; ++i) reg(i) = ValueSets::kUnknown;
    for (unsigned i = 0; i < (is_x64_ ? 6U : 8U); ++i) reg(kVectors + i) = ValueSets::kUnknown;
    pushed_ = 0;
  }
  /// What the function has taken off the stack.
  void take_off(const Callee& to) {
    std::int32_t bytes = pushed_;
    const Instruction next = decode_x86(code_, next_, is_x64_);
    const bool of_stack = next.length != 0 && next.map == OpcodeMap::kOneByte && (next.opcode == 0x83 || next.opcode == 0x81) &&
                          next.mod() == 3 && next.rm() == kStackPointer;
    const TagCall shape = tag_call(to.import);
    if (shape.kind == TagCall::kTagged) {
      bytes = shape.words * word_;
    } else if (const auto own = starts_.find(to.own); to.own != 0 && own != starts_.end()) {
      bytes = static_cast<std::int32_t>(own->second.pops);
    } else if ((to.import != nullptr && is_cdecl(to.import->name)) || (of_stack && next.digit() == 0)) {
      bytes = 0;
    } else if (of_stack && next.digit() == 5) {
      const std::size_t at = at_;
      at_ = next_;
      bytes = static_cast<std::int32_t>(immediate(next));
      at_ = at;
    }
    move_stack(bytes);
  }

  void jump(const Instruction& in) {
    is_reached_ = false;
    if (in.opcode == 0xFF) {
      const Callee to = callee(in);
      const Origin table = values_.of(operand(in)).front();
      // To a case of a switch, or the last call of the function.
      if (to.import == nullptr && to.own == 0 && (table.kind == Origin::kTableLoad || in.mod() == 3) && depth() != 0) {
        by_table_ = state_;
        has_table_ = true;
        return;
      }
      return hand_over(to.import, to.own, true);
    }
    const std::uint32_t to = target(in);
    const bool is_other = to < function_ || (to != function_ && starts_.contains(to)) || to - base_ >= code_.size();
    if (!is_other) {
      const Callee thunk = callee(in);
      if (thunk.import == nullptr) return branch(to);
      return hand_over(thunk.import, 0, true);
    }
    const Callee other = callee(in);
    hand_over(other.import, other.own, true);
    if (other.own != 0) seen_.returns.push_back(values_.one({Origin::kResult, other.own, 0}));
  }

  static constexpr unsigned kNowhere = 99;
  const PeImage& image_;
  TagFlow& flow_;
  ValueSets& values_;
  const bool is_x64_;
  const std::int32_t word_;
  std::map<std::uint32_t, Function> starts_;  // of functions
  std::span<const std::byte> code_;
  std::uint32_t base_ = 0;
  std::size_t at_ = 0, next_ = 0;
  std::uint32_t function_ = 0;
  std::uint32_t last_displacement_ = 0, last_base_ = 0;  // of the instruction's operand
  std::map<std::uint32_t, FlowState> entries_;           // at places that are jumped to
  FlowState state_, by_table_;
  bool is_reached_ = true, has_table_ = false, changed_ = false;
  bool passes_ = false;              // over what nothing in this function leads to
  std::vector<std::size_t> passed_;  // where such began
  std::set<std::uint32_t> known_;    // those that have been read
  std::int32_t pushed_ = 0;
  struct Compared {
    std::uint32_t rows = 0, since = 0;
    unsigned index = 0;
  };
  Compared compared_, bound_;  // `since`: by which instruction
  struct {
    unsigned to = 0, from = 0;
    std::uint32_t by = 0;
  } moved_;                    // by the last lea
  std::uint32_t number_ = 16;  // of instructions
  std::size_t left_ = 0;       // instructions that may yet be read
  TagFlow::Seen seen_;
};

}  // namespace

void follow_x86(const PeImage& image, TagFlow& flow) { X86Follower(image, flow).run(); }

}  // namespace kmem::drivers
