// Which tags reach an image's calls of functions that take one: values are followed through registers, the stack and the
// image's data, by every way through a function, and through the image's own functions that hand a tag on. Needs calls by
// import name. It comes to know of most images all tags; what merely looks like one is then none (knows_all()).
// Thread: pure. Bounds: as ValueSets; kMostPasses over a function; functions, calls and instructions of the image.
// Failure: none; what cannot be followed leaves knows_all() false.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collectors/drivers/image_scan.h"
#include "collectors/drivers/pe_image.h"
#include "collectors/drivers/tag_calls.h"
#include "collectors/drivers/value_sets.h"

namespace kmem::drivers {

inline constexpr std::size_t kMostParameters = 11;  // x86: the first eight words, then ecx, edx and eax
inline constexpr unsigned kFlowRegisters = 32;
inline constexpr int kMostPasses = 8;

/// What registers and stack hold at one place of a function.
struct FlowState {
  struct Slot {
    std::int32_t offset = 0;  // from where the stack was at the function's start
    ValueSets::Id value = ValueSets::kUnknown;
    bool operator==(const Slot&) const = default;
  };
  std::array<ValueSets::Id, kFlowRegisters> registers{};
  std::vector<Slot> slots;  // by offset

  void store(std::int32_t offset, ValueSets::Id value);
  [[nodiscard]] const Slot* find(std::int32_t offset) const;
  bool operator==(const FlowState&) const = default;
};

/// What the readers of code have seen, function by function, and what follows from it.
class TagFlow {
 public:
  explicit TagFlow(const PeImage& image) : image_(image) {}

  struct Call {
    std::uint32_t from = 0;                   // the function that calls
    std::uint32_t to = 0;                     // an own function; 0: by an address that is not known
    TagCall shape;                            // of an import
    ValueSets::Id tag = ValueSets::kUnknown;  // kTagged: what is handed over as such
    std::array<ValueSets::Id, kMostParameters> arguments{};
    struct Field {
      std::uint8_t argument = 0;  // points to it, on the stack
      std::uint32_t offset = 0;
      ValueSets::Id value = ValueSets::kUnknown;
    };
    std::vector<Field> fields;
  };
  struct Seen {  // of one function
    std::vector<Call> calls;
    std::vector<ValueSets::Id> returns;
    std::vector<std::pair<std::uint32_t, ValueSets::Id>> stored;  // to addresses in the image
    static constexpr std::uint32_t kOfImage = 0x200;
    struct Field {                // a number that was stored behind a pointer, or at an address in the image
      std::uint32_t pointer = 0;  // tells it from others
      std::uint32_t offset = 0, value = 0;
      std::uint8_t bytes = 4;
      ValueSets::Id from = ValueSets::kUnknown;  // a number, or what may be one
    };
    std::vector<Field> fields;
    std::vector<std::uint32_t> addresses;  // in the image, that it names,
    std::vector<std::uint32_t> taken;      // and of them those that it hands on or keeps
    void clear() { *this = {}; }
    /// Four characters beside others.
    [[nodiscard]] bool is_text(const Field& field) const;
  };

  /// Of the function that is being read.
  ValueSets& values() { return values_; }
  /// What lies at this address, `moved` bytes from a pointer that may not be known; `rows`: of a table, if that is known, or 0.
  [[nodiscard]] ValueSets::Id loaded(const FlowState& state, ValueSets::Id address, std::uint32_t moved,
                                     std::uint32_t rows = 0);
  /// `again` as in ValueSets::join.
  void merge(FlowState& into, const FlowState& from, std::uint32_t again);
  /// Adds what points to the stack in the call's arguments.
  void note_fields(Call& call, const FlowState& state);
  /// The function is read; its values are gone then.
  void add(std::uint32_t function, Seen&& seen);
  /// Not all could be read.
  void lose() { is_lost_ = true; }

  /// After all functions. `weak` are the finds of the searches that know less.
  void finish(Finds& finds, const Finds& weak);
  /// The numbers that are kept in structures, which other modules may read: of four bytes, and no text's.
  [[nodiscard]] std::set<std::uint32_t> kept_in_structures() const;
  [[nodiscard]] bool knows_all() const { return has_calls_ && !is_lost_; }

 private:
  void resolve(std::uint32_t function, ValueSets::Id value);
  void resolve_parameter(std::uint32_t function, std::uint32_t index);
  void resolve_field(std::uint32_t function, std::uint32_t index, std::uint32_t offset);
  /// Without a loss where nothing comes of it.
  template <typename What>
  void try_resolve(What what) {
    const bool was_lost = is_lost_;
    what();
    is_lost_ = was_lost;
  }
  [[nodiscard]] bool is_text(const Call& call, const Call::Field& field) const;
  void resolve_fields(std::uint32_t function, const Seen& seen, const Finds& weak);
  void resolve_load(std::uint32_t address);
  [[nodiscard]] bool is_texts(std::uint32_t address) const;
  void resolve_rows(std::uint32_t address, std::uint32_t table);
  bool number(std::uint32_t value);
  /// Tags are read from such a field.
  [[nodiscard]] bool is_wanted(const Seen::Field& field) const;
  [[nodiscard]] bool is_called_unseen(std::uint32_t function) const;

  const PeImage& image_;
  ValueSets values_, kept_;
  std::unordered_map<std::uint32_t, Seen> functions_;
  std::unordered_map<std::uint32_t, std::vector<const Call*>> calls_to_;
  std::unordered_map<std::uint32_t, std::vector<std::pair<std::uint32_t, ValueSets::Id>>> stored_at_;
  std::vector<std::uint32_t> addresses_, taken_;  // sorted in finish()
  std::set<std::pair<std::uint32_t, ValueSets::Id>> resolved_;
  std::set<std::array<std::uint32_t, 3>> followed_;
  std::set<std::uint32_t> fields_, loads_;
  std::set<std::uint32_t> unseen_;                                  // parameters of functions that are called by their address
  std::set<std::pair<std::uint32_t, std::uint32_t>> fields_found_;  // in a function
  Finds* finds_ = nullptr;
  bool has_calls_ = false, is_lost_ = false;
  int depth_ = 0;
};

/// The readers of code.
void follow_x86(const PeImage& image, TagFlow& flow);
void follow_arm64(const PeImage& image, TagFlow& flow);

/// Whether there is anything to follow.
[[nodiscard]] bool has_tag_calls(const PeImage& image);

}  // namespace kmem::drivers
