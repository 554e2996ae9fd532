// STAGE 4, inside: the samples of one family while a catalogue row fills them. What the family's last filling left is
// used again: its memory, and where a label reads as before the label itself. Thread: one filler.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "exporter/metrics/catalogue.h"

namespace kmem::metrics {

class Samples {
 public:
  Samples(const MetricRow& row, prometheus::MetricFamily& family)
      : row_(row), family_(family), is_new_(family.name != row.name) {}
  /// Only counts. `nowhere` has one sample without labels, which takes every value.
  struct Counting {};
  Samples(const MetricRow& row, prometheus::MetricFamily& nowhere, Counting)
      : row_(row), family_(nowhere), is_new_(false), counting_(true) {}
  ~Samples() { end(); }
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;

  /// Leaves the samples as they were filled last; false when they are not there, and have to be added.
  bool keep(std::size_t count) {
    if (is_new_ || used_ != 0 || family_.metric.size() != count) return false;
    used_ = count;
    return true;
  }

  void expect(std::size_t count) {
    if (!is_new_) family_.metric.reserve(count);
  }

  /// Label values in the order of the row's label names.
  void add(double value, std::initializer_list<std::string_view> label_values = {}) {
    prometheus::ClientMetric& metric = next(label_values);
    if (row_.type == prometheus::MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
  }

  /// The next sample, for a value that is not one number.
  prometheus::ClientMetric& next(std::initializer_list<std::string_view> label_values) {
    if (is_new_ && used_ == 0) take_over();
    if (used_ < family_.metric.size() && has_labels(family_.metric[used_], label_values)) return family_.metric[used_++];
    return relabelled(label_values);
  }

  /// Takes away what the last filling had more. Whether the family's name and every label are as they were then.
  /// Without a sample the family stays as it is: another row's that has some.
  bool end() {
    if (used_ == 0 || counting_) return false;
    if (used_ != family_.metric.size()) {
      family_.metric.resize(used_);
      has_new_labels_ = true;
    }
    return !is_new_ && !has_new_labels_;
  }

  [[nodiscard]] bool empty() const { return used_ == 0; }
  [[nodiscard]] std::size_t count() const { return used_; }

 private:
  void take_over() {
    family_.name = row_.name;
    family_.help = row_.help;
    family_.type = row_.type;
    family_.metric.clear();
  }

  /// The names are the row's, at the same places.
  static bool has_labels(const prometheus::ClientMetric& metric, std::initializer_list<std::string_view> values) {
    if (metric.label.size() != values.size()) return false;
    auto label = metric.label.begin();
    for (const std::string_view value : values)
      if ((label++)->value != value) return false;
    return true;
  }

  prometheus::ClientMetric& relabelled(std::initializer_list<std::string_view> label_values) {
    if (counting_) {
      ++used_;
      return family_.metric.front();
    }
    has_new_labels_ = true;
    if (used_ == family_.metric.size()) family_.metric.emplace_back();
    prometheus::ClientMetric& metric = family_.metric[used_++];
    metric.label.resize(label_values.size());
    std::size_t index = 0;
    for (const std::string_view label_value : label_values) {
      metric.label[index].name = row_.labels[index];
      metric.label[index].value = label_value;
      ++index;
    }
    return metric;
  }

  const MetricRow& row_;
  prometheus::MetricFamily& family_;
  const bool is_new_;  // the family was another row's
  const bool counting_ = false;
  std::size_t used_ = 0;
  bool has_new_labels_ = false;
};

}  // namespace kmem::metrics
