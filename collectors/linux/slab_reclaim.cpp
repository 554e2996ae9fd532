#include "collectors/linux/slab_reclaim.h"

#include <algorithm>
#include <array>

#include "collectors/linux/slabinfo.h"
#include "collectors/linux/text_scan.h"

namespace kmem::linux {
namespace {

constexpr std::chrono::minutes kAskAgain{1};

// Caches created with SLAB_RECLAIM_ACCOUNT (jbd2: SLAB_TEMPORARY, the same bit), sorted. Inode caches go by suffix.
constexpr auto kReclaimable = std::to_array<std::string_view>({
    "bdev_cache",
    "bio_post_read_ctx",
    "buffer_head",
    "ceph_inode_info",
    "dax_cache",
    "dentry",
    "dquot",
    "exfat_cache",
    "ext4_allocation_context",
    "ext4_bio_post_read_ctx",
    "ext4_extent_status",
    "ext4_fc_dentry_update",
    "ext4_free_data",
    "ext4_io_end",
    "ext4_pending_reservation",
    "ext4_prealloc_space",
    "ext4_xattr",
    "extent_status",
    "fat_cache",
    "fscrypt_inode_info",
    "inode_cache",
    "jbd2_journal_handle",
    "jbd2_journal_head",
    "jbd2_revoke_record_s",
    "jbd2_revoke_table_s",
    "jbd2_transaction_s",
    "jffs2_i",
    "mb_cache_entry",
    "nfs_direct_cache",
    "pending_reservation",
    "pidfs_attr_cache",
    "pidfs_xattr_cache",
    "radix_tree_node",
    "ubifs_inode_slab",
    "xfs_buf",
    "xfs_ili",
});
static_assert(std::is_sorted(kReclaimable.begin(), kReclaimable.end()));

constexpr auto kReclaimablePrefixes =
    std::to_array<std::string_view>({"erofs_pcluster-", "ext4_groupinfo_", "f2fs_", "kmalloc-rcl-"});

// Named like inodes of a file system on disk, but pinned: memory file systems and per-inode books.
constexpr auto kPinnedInodes = std::to_array<std::string_view>({
    "hugetlbfs_inode_cache",
    "jbd2_inode",
    "jffs2_inode_cache",
    "lsm_inode_cache",
    "mqueue_inode_cache",
    "shmem_inode_cache",
});

}  // namespace

bool is_known_reclaimable(std::string_view cache) {
  // "dentry(12:system.slice)": a control group's own, of its root's kind.
  if (const std::size_t group = cache.find('('); group != std::string_view::npos && cache.ends_with(')'))
    cache = cache.substr(0, group);
  if (std::binary_search(kReclaimable.begin(), kReclaimable.end(), cache)) return true;
  for (const std::string_view prefix : kReclaimablePrefixes)
    if (cache.starts_with(prefix)) return true;
  if (!cache.ends_with("_inode_cache") && !cache.ends_with("_inode")) return false;
  return std::find(kPinnedInodes.begin(), kPinnedInodes.end(), cache) == kPinnedInodes.end();
}

bool ReclaimAnswers::same_caches(std::string_view slabinfo) const {
  LineReader lines(slabinfo);
  auto entry = entries_.begin();
  for (std::string_view line; lines.next(line);) {
    if (!is_slab_row(line)) continue;
    if (entry == entries_.end()) return false;
    const std::string& name = entry->cache;
    if (line.size() <= name.size() || line[name.size()] != ' ' || !line.starts_with(name)) return false;
    ++entry;
  }
  return entry == entries_.end();
}

const std::string& ReclaimAnswers::update(std::string_view slabinfo, std::chrono::nanoseconds now,
                                          const ReclaimLookup& lookup) {
  if (same_caches(slabinfo) && (!ask_again_at_ || now < *ask_again_at_)) return bytes_;

  std::vector<Entry> old = std::move(entries_);
  std::sort(old.begin(), old.end(), [](const Entry& a, const Entry& b) { return a.cache < b.cache; });
  entries_.clear();
  bytes_.clear();
  ask_again_at_.reset();
  LineReader lines(slabinfo);
  for (std::string_view line; lines.next(line);) {
    SlabRow row;
    if (!is_slab_row(line) || !parse_slab_row(line, row)) continue;
    const auto known = std::lower_bound(old.begin(), old.end(), row.cache,
                                        [](const Entry& a, std::string_view name) { return a.cache < name; });
    std::optional<bool> answer;
    if (known != old.end() && known->cache == row.cache) answer = known->reclaimable;
    if (!answer) answer = lookup(row.cache);
    if (answer) {
      bytes_.append(row.cache).append(*answer ? " 1\n" : " 0\n");
    } else {
      ask_again_at_ = now + kAskAgain;  // sysfs names a new cache a moment after slabinfo does
    }
    entries_.push_back({std::string(row.cache), answer});
  }
  return bytes_;
}

std::optional<ReclaimReader::Row> ReclaimReader::row(std::string_view line, std::size_t end) {
  if (line.size() < 3 || line[line.size() - 2] != ' ') return std::nullopt;
  const char flag = line.back();
  if (flag != '0' && flag != '1') return std::nullopt;
  return Row{line.substr(0, line.size() - 2), flag == '1', end};
}

void ReclaimReader::index() {
  indexed_ = true;
  LineReader lines(bytes_);
  for (std::string_view line; lines.next(line);) {
    const auto end = static_cast<std::size_t>(line.data() + line.size() - bytes_.data());
    if (const auto parsed = row(line, std::min(end + 1, bytes_.size()))) index_.push_back(*parsed);
  }
  std::sort(index_.begin(), index_.end(), [](const Row& a, const Row& b) { return a.cache < b.cache; });
}

bool ReclaimReader::reclaimable(std::string_view cache) {
  const std::size_t length = cache.size() + 3;  // blank, flag, line end
  if (rest_.size() >= length && rest_.starts_with(cache) && rest_[cache.size()] == ' ' && rest_[length - 1] == '\n') {
    const char flag = rest_[cache.size() + 1];
    if (flag == '0' || flag == '1') {
      rest_.remove_prefix(length);
      return flag == '1';
    }
  }
  if (bytes_.empty()) return is_known_reclaimable(cache);
  if (!indexed_) index();
  const auto found =
      std::lower_bound(index_.begin(), index_.end(), cache, [](const Row& a, std::string_view name) { return a.cache < name; });
  if (found == index_.end() || found->cache != cache) return is_known_reclaimable(cache);
  rest_ = bytes_.substr(found->end);
  return found->reclaimable;
}

}  // namespace kmem::linux
