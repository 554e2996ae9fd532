// STAGE 4, inside: families that are filled one behind the other into the memory of their last filling; one without
// samples leaves no trace. Thread: one filler.
#pragma once

#include <prometheus/metric_family.h>

#include <atomic>
#include <cstddef>
#include <vector>

#include "exporter/metrics/families.h"
#include "exporter/metrics/samples.h"

namespace kmem::metrics {

class FamilyList {
 public:
  /// Those before `first` stay as they are. `stamps` may be null.
  FamilyList(std::vector<prometheus::MetricFamily>& families, LabelStamps* stamps, std::size_t first)
      : families_(families), stamps_(stamps), used_(first) {}
  ~FamilyList() {
    families_.resize(used_);
    if (stamps_ != nullptr) stamps_->resize(used_);
  }
  FamilyList(const FamilyList&) = delete;
  FamilyList& operator=(const FamilyList&) = delete;

  template <typename Fill>
  void fill(const MetricRow& row, Fill&& fill_samples) {
    if (used_ == families_.size()) families_.emplace_back();
    Samples samples(row, families_[used_]);
    fill_samples(samples);
    const bool as_before = samples.end();
    if (samples.empty()) return;
    if (stamps_ != nullptr) {
      if (used_ >= stamps_->size()) stamps_->resize(used_ + 1);
      if (!as_before || (*stamps_)[used_] == 0) (*stamps_)[used_] = next_stamp();
    }
    ++used_;
  }

 private:
  /// Of all lists together, so that a stamp of one can never pass for another's.
  static std::uint64_t next_stamp() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }

  std::vector<prometheus::MetricFamily>& families_;
  LabelStamps* stamps_;
  std::size_t used_;
};

}  // namespace kmem::metrics
