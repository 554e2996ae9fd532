#include "collectors/drivers/value_sets.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace kmem::drivers {
namespace {

constexpr std::uint32_t kLongestRow = 256, kMostSteps = 64, kMostCounted = 0x10000;

/// As something unknown that may be multiplied and added to itself.
Origin as_unknown(const Origin& one) {
  if (one.kind == Origin::kAny) return {Origin::kAny, std::max(one.value, 1U), one.more};
  if (one.kind == Origin::kNumber || one.kind == Origin::kStack) return {Origin::kAny, 1, 0};
  return {Origin::kAny, 1, (one.value * 0x9E3779B1U + one.more * 31 + one.kind) | 1U};
}
Origin unknown(std::uint32_t factor, std::uint32_t of) {
  return factor <= 1 && of == 0 ? Origin{} : Origin{Origin::kAny, factor, of};
}

std::uint32_t size(std::uint32_t factor) { return factor > INT32_MAX ? 0 - factor : factor; }

Origin sum(const Origin& a, const Origin& b) {
  if (b.kind == Origin::kNumber && a.kind != Origin::kNumber) return sum(b, a);
  if (a.kind == Origin::kNumber) {
    switch (b.kind) {
      case Origin::kNumber: return {Origin::kNumber, a.value + b.value, 0};
      case Origin::kImage:
      case Origin::kTable:
      case Origin::kStack: return {b.kind, a.value + b.value, b.more};
      case Origin::kParameter: return {b.kind, b.value, a.value + b.more};
      case Origin::kAny:
        if (a.value % as_unknown(b).value == 0) return b;
        return unknown(std::gcd(size(as_unknown(b).value), size(a.value)), 0);
      default: return a.value == 0 ? b : Origin{};
    }
  }
  for (const auto& [base, index] : {std::pair(a, b), std::pair(b, a)}) {
    if (base.kind == Origin::kImage && index.kind != Origin::kImage)
      return {Origin::kTable, base.value, as_unknown(index).value};
    if (base.kind == Origin::kStack && index.kind != Origin::kStack)
      return {Origin::kStack, base.value, as_unknown(index).value};
    if (base.kind == Origin::kTable) return {Origin::kTable, base.value, std::gcd(base.more, as_unknown(index).value)};
  }
  const Origin x = as_unknown(a), y = as_unknown(b);
  if (x.more == y.more && x.more != 0) return unknown(x.value + y.value, x.more);
  return unknown(std::gcd(size(x.value), size(y.value)), 0);
}

}  // namespace

bool ValueSets::Set::operator==(const Set& other) const {
  return count == other.count && std::equal(origins.begin(), origins.begin() + count, other.origins.begin());
}

std::size_t ValueSets::hash(const Set& set) {
  std::uint64_t hash = set.count;
  for (std::size_t i = 0; i < set.count; ++i)
    for (const std::uint32_t word : {std::uint32_t{set.origins[i].kind}, set.origins[i].value, set.origins[i].more})
      hash = (hash ^ word) * 0x9E3779B97F4A7C15U, hash ^= hash >> 32;
  return static_cast<std::size_t>(hash);
}

ValueSets::ValueSets() { clear(); }

void ValueSets::clear() {
  sets_.clear();
  ids_.clear();
  sets_.emplace_back().count = 1;
  ids_.emplace(hash(sets_[0]), kUnknown);
}

ValueSets::Id ValueSets::copy(const ValueSets& other, Id id) {
  if (id == kUnknown) return kUnknown;
  Set out;
  for (const Origin& origin : other.of(id)) insert(out, origin.kind == Origin::kAny ? Origin{} : origin);
  return keep(out);
}

void ValueSets::insert(Set& set, const Origin& origin) {
  auto* const end = set.origins.begin() + set.count;
  auto* const at = std::lower_bound(set.origins.begin(), end, origin);
  if (at != end && *at == origin) return;
  if (origin.kind == Origin::kAny && set.count != 0 && set.origins[0].kind == Origin::kAny) {
    set.origins[0] = {};
    return;
  }
  if (set.count == kMostOrigins) {
    // Some of it is not known.
    if (set.origins[0].kind != Origin::kAny) set.origins[0] = {};
    return;
  }
  std::move_backward(at, end, end + 1);
  *at = origin;
  ++set.count;
}

ValueSets::Id ValueSets::keep(const Set& set) {
  if (set.count == 0) return kUnknown;
  const std::size_t key = hash(set);
  for (auto [known, end] = ids_.equal_range(key); known != end; ++known)
    if (sets_[known->second] == set) return known->second;
  if (sets_.size() >= kMostSets) return kUnknown;
  const Id id = static_cast<Id>(sets_.size());
  sets_.push_back(set);
  ids_.emplace(key, id);
  return id;
}

ValueSets::Id ValueSets::one(const Origin& origin) {
  Set set;
  insert(set, origin);
  return keep(set);
}

ValueSets::Id ValueSets::join(Id a, Id b, std::uint32_t again) {
  if (a == b) return a;
  Set out = sets_[a];
  for (const Origin& origin : of(b)) {
    const auto moved = [&](const Origin& one) {
      return one.kind == Origin::kImage && origin.kind == Origin::kImage && origin.value - one.value - 1 < kLongestRow;
    };
    auto* const end = out.origins.begin() + out.count;
    auto* const from = again != 0 ? std::find_if(out.origins.begin(), end, moved) : end;
    const auto is_row = [&](const Origin& one) {
      return again != 0 && one.kind == Origin::kTable && origin.kind == Origin::kTable && one.more == origin.more &&
             (origin.value - one.value) % one.more == 0;
    };
    // A number that counts.
    const auto counts = [&](const Origin& one) {
      return again != 0 && one.kind == Origin::kNumber && origin.kind == Origin::kNumber && one.value < kMostCounted &&
             origin.value - one.value - 1 < kMostSteps;
    };
    auto* const counted = std::find_if(out.origins.begin(), end, counts);
    if (counted != end) {
      insert(out, unknown(origin.value - counted->value, again));
    } else if (from != end) {
      const std::uint32_t row = origin.value - from->value;
      std::uint32_t first = from->value;
      for (const Origin& one : Set(out).origins)  // by value
        if (one.kind == Origin::kImage && (first - one.value) % row == 0 && first - one.value < kLongestRow)
          first = std::min(first, one.value);
      insert(out, {Origin::kTable, first, row});
    } else if (std::none_of(out.origins.begin(), end, is_row)) {
      insert(out, origin);
    }
  }
  return keep(out);
}

ValueSets::Id ValueSets::add(Id a, Id b) {
  Set out;
  for (const Origin& x : of(a))
    for (const Origin& y : of(b)) insert(out, sum(x, y));
  return keep(out);
}

ValueSets::Id ValueSets::scale(Id a, std::uint32_t by) {
  if (by == 1) return a;
  Set out;
  for (const Origin& x : of(a)) {
    const Origin factor = as_unknown(x);
    insert(out, x.kind == Origin::kNumber ? Origin{Origin::kNumber, x.value * by, 0} : unknown(factor.value * by, factor.more));
  }
  return keep(out);
}

ValueSets::Id ValueSets::mask(Id a, std::uint32_t bits) {
  Set out;
  for (const Origin& x : of(a)) {
    if (x.kind == Origin::kNumber) {
      insert(out, {Origin::kNumber, x.value & bits, 0});
    } else if (std::popcount(bits) <= 3) {
      for (std::uint32_t part = bits;; part = (part - 1) & bits) {
        insert(out, {Origin::kNumber, part, 0});
        if (part == 0) break;
      }
    } else {
      insert(out, {});
    }
  }
  return keep(out);
}

}  // namespace kmem::drivers
