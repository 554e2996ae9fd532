#include "exporter/select/tag_table.h"

namespace kmem::select {

std::uint32_t TagTable::insert(Pool pool, std::uint64_t key, std::string_view tag) {
  std::uint32_t slot = static_cast<std::uint32_t>(records_.size());
  if (free_.empty()) {
    records_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  TagRecord& record = records_[slot];
  record.key = key;
  record.pool = pool;
  record.used = true;
  record.tag = tag;
  index_.insert(key, slot);
  ++size_;
  return slot;
}

void TagTable::erase(std::uint32_t slot) {
  records_[slot] = {};
  free_.push_back(slot);
  --size_;
}

void TagTable::reindex() {
  index_.clear();
  for (std::uint32_t slot = 0; slot < records_.size(); ++slot) {
    if (records_[slot].used) index_.insert(records_[slot].key, slot);
  }
}

}  // namespace kmem::select
