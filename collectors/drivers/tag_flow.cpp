#include "collectors/drivers/tag_flow.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "collectors/drivers/stored_constants.h"

namespace kmem::drivers {
namespace {

constexpr std::size_t kMostSlots = 96, kMostRows = 64, kMostBefore = 16;
constexpr std::uint32_t kLongestStruct = 256, kWidestRow = 0xFFFF;
constexpr int kMostHandedOn = 200;  // functions that hand on what they were handed

}  // namespace

void FlowState::store(std::int32_t offset, ValueSets::Id value) {
  const auto at =
      std::lower_bound(slots.begin(), slots.end(), offset, [](const Slot& one, std::int32_t to) { return one.offset < to; });
  if (at != slots.end() && at->offset == offset) {
    at->value = value;
  } else if (slots.size() < kMostSlots) {
    slots.insert(at, {offset, value});
  }
}

const FlowState::Slot* FlowState::find(std::int32_t offset) const {
  const auto at =
      std::lower_bound(slots.begin(), slots.end(), offset, [](const Slot& one, std::int32_t to) { return one.offset < to; });
  return at != slots.end() && at->offset == offset ? &*at : nullptr;
}

bool TagFlow::Seen::is_text(const Field& field) const {
  if (field.bytes != 4) return true;
  return std::any_of(fields.begin(), fields.end(), [&](const Field& other) {
    if (other.pointer != field.pointer || other.offset == field.offset) return false;
    const std::uint32_t behind = other.offset - field.offset, before = field.offset - other.offset;
    if (behind < 4 || before < other.bytes) return true;  // they overlap
    if (behind == 4 && other.bytes < 4) return true;
    const Piece piece = piece_of(other.value);
    return (behind == 4 && (piece == Piece::kWhole || piece == Piece::kTail)) || (before == 4 && piece == Piece::kWhole);
  });
}

ValueSets::Id TagFlow::loaded(const FlowState& state, ValueSets::Id address, std::uint32_t moved, std::uint32_t rows) {
  std::array<Origin, ValueSets::kMostOrigins> from{};
  const auto origins = values_.of(address);
  const std::size_t count = origins.size();
  std::copy(origins.begin(), origins.end(), from.begin());
  std::optional<ValueSets::Id> all;
  for (std::size_t i = 0; i < count; ++i) {
    const Origin& one = from[i];
    ValueSets::Id value = ValueSets::kUnknown;
    switch (one.kind) {
      case Origin::kStack: {
        const auto offset = static_cast<std::int32_t>(one.value);
        const std::int32_t word = image_.machine == Machine::kX86 ? 4 : 8;
        if (one.more != 0) {  // one of an array's
          const auto step = static_cast<std::int32_t>(std::clamp(one.more, 4U, kLongestStruct));
          std::optional<ValueSets::Id> any;
          for (std::int32_t at = offset; at < offset + 8 * step; at += step) {
            const FlowState::Slot* const slot = state.find(at);
            if (slot == nullptr) break;
            any = any ? values_.join(*any, slot->value) : slot->value;
          }
          value = any.value_or(ValueSets::kUnknown);
        } else if (const FlowState::Slot* const slot = state.find(offset)) {
          value = slot->value;
        } else if (image_.machine != Machine::kArm64 && offset >= word && offset % word == 0) {
          const auto index = static_cast<std::uint32_t>(offset / word) - 1;
          if (index < 8) value = values_.one({Origin::kParameter, index, 0});
        }
        break;
      }
      case Origin::kImage: {
        const PeImport* const import = image_.import_at(one.value);
        value = import != nullptr
                    ? values_.one({Origin::kImport, static_cast<std::uint32_t>(import - image_.imports.data()), 0})
                    : values_.one({Origin::kLoad, one.value, 0});
        break;
      }
      case Origin::kTable:
        value = values_.one({Origin::kTableLoad, one.value, std::min(one.more, kWidestRow) | rows << 16});
        break;
      case Origin::kParameter: value = values_.one({Origin::kField, one.more, one.value + 1}); break;
      default: value = values_.one({Origin::kField, moved, 0}); break;
    }
    all = all ? values_.join(*all, value) : value;
  }
  return all.value_or(ValueSets::kUnknown);
}

void TagFlow::merge(FlowState& into, const FlowState& from, std::uint32_t again) {
  for (unsigned i = 0; i < into.registers.size(); ++i)
    into.registers[i] = values_.join(into.registers[i], from.registers[i], again);
  // What only one has may be anything by the other.
  for (FlowState::Slot& slot : into.slots) {
    const FlowState::Slot* const other = from.find(slot.offset);
    slot.value = values_.join(slot.value, other == nullptr ? ValueSets::kUnknown : other->value, again);
  }
  for (const FlowState::Slot& slot : from.slots)
    if (into.find(slot.offset) == nullptr) into.store(slot.offset, values_.join(slot.value, ValueSets::kUnknown));
}

void TagFlow::note_fields(Call& call, const FlowState& state) {
  for (std::size_t i = 0; i < call.arguments.size(); ++i)
    for (const Origin& origin : values_.of(call.arguments[i])) {
      if (origin.kind != Origin::kStack) continue;
      const auto base = static_cast<std::int32_t>(origin.value);
      for (const FlowState::Slot& slot : state.slots)
        if (slot.offset >= base && static_cast<std::uint32_t>(slot.offset - base) < kLongestStruct)
          call.fields.push_back({static_cast<std::uint8_t>(i), static_cast<std::uint32_t>(slot.offset - base), slot.value});
    }
}

void TagFlow::add(std::uint32_t function, Seen&& seen) {
  const auto keep = [this](ValueSets::Id& id) { id = kept_.copy(values_, id); };
  for (Call& call : seen.calls) {
    keep(call.tag);
    std::for_each(call.arguments.begin(), call.arguments.end(), keep);
    for (Call::Field& field : call.fields) keep(field.value);
  }
  for (Seen::Field& field : seen.fields) keep(field.from);
  std::for_each(seen.returns.begin(), seen.returns.end(), keep);
  for (auto& [address, value] : seen.stored) {
    keep(value);
    stored_at_[address].emplace_back(function, value);
  }
  addresses_.insert(addresses_.end(), seen.addresses.begin(), seen.addresses.end());
  taken_.insert(taken_.end(), seen.taken.begin(), seen.taken.end());
  seen.addresses = seen.taken = {};
  seen.stored = {};
  functions_[function] = std::move(seen);
  values_.clear();
}

bool TagFlow::number(std::uint32_t value) {
  value &= ~kProtectedPool;
  for (int i = 0; i < 32; i += 8)
    if (((value >> i) & 0xFF) < 0x20 || ((value >> i) & 0xFF) > 0x7E) return false;
  finds_->add(value, Evidence::kArgument);
  return true;
}

bool TagFlow::is_called_unseen(std::uint32_t function) const {
  return !calls_to_.contains(function) || std::binary_search(taken_.begin(), taken_.end(), function);
}

void TagFlow::resolve(std::uint32_t function, ValueSets::Id value) {
  if (!resolved_.emplace(function, value).second) return;
  if (depth_ == kMostHandedOn) {
    is_lost_ = true;
    return;
  }
  ++depth_;
  const auto origins = kept_.of(value);
  for (const Origin& origin : std::vector<Origin>(origins.begin(), origins.end())) {
    switch (origin.kind) {
      case Origin::kNumber: number(origin.value); break;
      case Origin::kLoad: resolve_load(origin.value); break;
      case Origin::kTableLoad: resolve_rows(origin.value, origin.more); break;
      case Origin::kParameter: origin.more == 0 ? resolve_parameter(function, origin.value) : void(is_lost_ = true); break;
      case Origin::kField: resolve_field(function, origin.more, origin.value); break;
      case Origin::kResult: {
        const auto callee = functions_.find(origin.value);
        if (callee == functions_.end()) {
          is_lost_ = true;
        } else {
          for (const ValueSets::Id returned : callee->second.returns) resolve(origin.value, returned);
        }
        break;
      }
      default: is_lost_ = true;
    }
  }
  --depth_;
}

void TagFlow::resolve_parameter(std::uint32_t function, std::uint32_t index) {
  if (index >= kMostParameters) is_lost_ = true;
  // Called by its address: with whatever calls of unknown functions hand over there.
  if (is_called_unseen(function)) unseen_.insert(index);
  const auto calls = calls_to_.find(function);
  if (index >= kMostParameters || calls == calls_to_.end() || !followed_.insert({function, index, UINT32_MAX}).second) return;
  for (const Call* const call : calls->second) resolve(call->from, call->arguments[index]);
}

void TagFlow::resolve_field(std::uint32_t function, std::uint32_t index, std::uint32_t offset) {
  if (index == 0 || index > kMostParameters || is_called_unseen(function)) fields_.insert(offset);
  const auto calls = calls_to_.find(function);
  if (index == 0 || index > kMostParameters || calls == calls_to_.end() || !followed_.insert({function, index, offset}).second)
    return;
  for (const Call* const call : calls->second) {
    const auto origins = kept_.of(call->arguments[index - 1]);
    for (const Origin& origin : std::vector<Origin>(origins.begin(), origins.end())) {
      switch (origin.kind) {
        case Origin::kImage: resolve_load(origin.value + offset); break;
        case Origin::kTable: resolve_rows(origin.value + offset, origin.more); break;
        case Origin::kParameter: resolve_field(call->from, origin.value + 1, origin.more + offset); break;
        case Origin::kStack: {
          bool is_known = false;
          for (const Call::Field& field : call->fields)
            if (field.argument == index - 1 && field.offset == offset) {
              resolve(call->from, field.value);
              is_known = true;
            }
          if (!is_known) fields_.insert(offset);
          break;
        }
        default: fields_.insert(offset);
      }
    }
  }
}

void TagFlow::resolve_load(std::uint32_t address) {
  if (!loads_.insert(address).second) return;
  const auto value = image_.dword_at(address);
  const bool is_tag = value && number(*value);
  const auto stores = stored_at_.find(address);
  if (stores == stored_at_.end()) {
    if (is_tag) return;
    // Stored by way of a pointer to what it is a part of.
    const auto behind = std::upper_bound(taken_.begin(), taken_.end(), address);
    if (behind == taken_.begin() || address - *std::prev(behind) >= kLongestStruct) {
      is_lost_ = true;
    } else {
      fields_.insert(address - *std::prev(behind));
    }
    return;
  }
  for (const auto& [function, stored] : stores->second) resolve(function, stored);
}

/// Characters, of which some end a text and some begin the next: no field of numbers.
bool TagFlow::is_texts(std::uint32_t address) const {
  const std::uint32_t value = image_.dword_at(address).value_or(0);
  int characters = 0;
  for (int i = 0; i < 32; i += 8) {
    const std::uint32_t one = (value >> i) & 0xFF;
    if (one != 0 && (one < 0x20 || one > 0x7E)) return false;
    characters += one != 0 ? 1 : 0;
  }
  return characters >= 2 && value > 0xFFFF && value - static_cast<std::uint32_t>(image_.base) >= image_.size_bytes;
}

void TagFlow::resolve_rows(std::uint32_t address, std::uint32_t table) {
  const std::uint32_t stride = std::max(table & 0xFFFF, 4U);
  const std::size_t most = (table >> 16) != 0 ? table >> 16 : kMostRows;
  // Behind tags alone another thing begins that code names; longer rows are told by their other fields.
  const auto next = std::lower_bound(addresses_.begin(), addresses_.end(), address + stride);
  const std::uint32_t end = stride != 4 || next == addresses_.end() ? UINT32_MAX : *next;
  const auto named = std::lower_bound(addresses_.begin(), addresses_.end(), address - stride + 4);
  const std::uint32_t before_tag = named != addresses_.end() && *named < address ? address - *named : 0;
  const auto is_alike = [&](std::uint32_t at) {
    for (std::uint32_t column = 0; column < std::min(stride, kLongestStruct); column += 4) {
      if (column == before_tag) continue;
      if (is_texts(at - before_tag + column) && !is_texts(address - before_tag + column)) return false;
    }
    return true;
  };
  // A table whose first row is not number 0 is named as if it were.
  std::size_t rows = 0, skipped = 0;
  for (std::uint32_t at = address; rows < most && at < end; at += stride) {
    const auto value = image_.dword_at(at);
    if (!value) break;
    if (is_plausible_tag(*value & ~kProtectedPool) && is_alike(at)) {
      number(*value);
      ++rows;
    } else if (rows != 0 || stride != 4 || ++skipped > kMostBefore) {
      break;
    }
  }
  if (rows == 0) is_lost_ = true;
}

bool TagFlow::is_wanted(const Seen::Field& field) const {
  if (field.pointer != Seen::kOfImage) return fields_.contains(field.offset);
  return std::any_of(fields_.begin(), fields_.end(), [&](std::uint32_t offset) {
    return std::binary_search(taken_.begin(), taken_.end(), field.offset - offset);
  });
}

void TagFlow::finish(Finds& finds, const Finds& weak) {
  finds_ = &finds;
  std::sort(addresses_.begin(), addresses_.end());
  std::sort(taken_.begin(), taken_.end());
  for (const auto& [function, seen] : functions_)
    for (const Call& call : seen.calls)
      if (call.to != 0) calls_to_[call.to].push_back(&call);
  for (const auto& [function, seen] : functions_)
    for (const Call& call : seen.calls) {
      if (call.shape.kind == TagCall::kTagged) {
        has_calls_ = true;
        resolve(function, call.tag);
      } else if (call.to == 0 && call.shape.kind == TagCall::kUnknown) {
        // Perhaps a function of this kind; constants that are handed over directly are known from elsewhere.
        for (const ValueSets::Id argument : call.arguments)
          if (const auto origins = kept_.of(argument);
              origins.size() == 1 && origins[0].kind == Origin::kParameter && origins[0].more == 0)
            try_resolve([&, from = function] { resolve_parameter(from, origins[0].value); });
      }
    }
  // Tags that are kept in structures, and read from there; what is found may lead to more of those.
  for (std::size_t known = SIZE_MAX; known != fields_.size() + unseen_.size();) {
    known = fields_.size() + unseen_.size();
    for (const auto& [function, seen] : functions_) {
      resolve_fields(function, seen, weak);
      for (const Call& call : seen.calls)
        if (call.to == 0 && call.shape.kind == TagCall::kUnknown)
          for (const std::uint32_t index : std::set<std::uint32_t>(unseen_))
            if (index < kMostParameters) try_resolve([&, from = function] { resolve(from, call.arguments[index]); });
    }
  }
}

bool TagFlow::is_text(const Call& call, const Call::Field& field) const {
  return std::any_of(call.fields.begin(), call.fields.end(), [&](const Call::Field& other) {
    if (other.argument != field.argument || other.offset == field.offset) return false;
    const std::uint32_t behind = other.offset - field.offset, before = field.offset - other.offset;
    const auto origins = kept_.of(other.value);
    if (behind < 4 || before < 4) return true;
    if ((behind != 4 && before != 4) || origins.size() != 1 || origins[0].kind != Origin::kNumber) return false;
    const Piece piece = piece_of(origins[0].value);
    return piece == Piece::kWhole || (behind == 4 && piece == Piece::kTail);
  });
}

void TagFlow::resolve_fields(std::uint32_t function, const Seen& seen, const Finds& weak) {
  const auto look_at = [&](ValueSets::Id value, bool is_text) {
    const auto origins = kept_.of(value);
    for (const Origin& origin : std::vector<Origin>(origins.begin(), origins.end()))
      if (origin.kind == Origin::kNumber) {
        if (weak.has(origin.value) && !is_text && fields_found_.emplace(function, origin.value).second) number(origin.value);
      } else if (origin.kind == Origin::kParameter && origin.more == 0) {
        resolve_parameter(function, origin.value);
      }
  };
  for (const Seen::Field& field : seen.fields)
    if (is_wanted(field)) look_at(field.from, seen.is_text(field));
  for (const Call& call : seen.calls)
    for (const Call::Field& field : call.fields)
      if (fields_.contains(field.offset)) look_at(field.value, is_text(call, field));
}

std::set<std::uint32_t> TagFlow::kept_in_structures() const {
  std::set<std::uint32_t> kept;
  const auto keep = [&](ValueSets::Id value) {
    for (const Origin& origin : kept_.of(value))
      if (origin.kind == Origin::kNumber) kept.insert(origin.value);
  };
  for (const auto& [function, seen] : functions_) {
    for (const Seen::Field& field : seen.fields) {
      if (field.pointer == Seen::kOfImage || field.bytes != 4 || seen.is_text(field)) continue;
      kept.insert(field.value);
      keep(field.from);
    }
    for (const Call& call : seen.calls)
      for (const Call::Field& field : call.fields)
        if (!is_text(call, field)) keep(field.value);
  }
  return kept;
}

bool has_tag_calls(const PeImage& image) {
  return std::any_of(image.imports.begin(), image.imports.end(),
                     [](const PeImport& import) { return tag_call(&import).kind == TagCall::kTagged; });
}

}  // namespace kmem::drivers
