#include <algorithm>
#include <array>

#include "collectors/drivers/builtin_tags.h"

namespace kmem::drivers {
namespace {

// A name that ends in '-' or '_' stands for every cache that begins so.
constexpr auto kCaches = std::to_array<KnownTag>({
    {"Acpi-", "", "power and configuration interface of the board"},
    {"AF_VSOCK", "vsock", "sockets between host and guest"},
    {"MPTCP", "", "multipath TCP sockets"},
    {"PING", "", "ping sockets"},
    {"RAW", "", "raw sockets"},
    {"TCP", "", "TCP sockets"},
    {"TCPv6", "", "TCP sockets over IPv6"},
    {"UDP", "", "UDP sockets"},
    {"UDPv6", "", "UDP sockets over IPv6"},
    {"UNIX", "", "local sockets"},
    {"anon_vma", "", "reverse maps of anonymous memory"},
    {"anon_vma_chain", "", "reverse maps of anonymous memory"},
    {"bdev_cache", "", "block devices"},
    {"bfq_", "bfq", "BFQ disk scheduler"},
    {"bio-", "", "disk requests in flight"},
    {"biovec-", "", "page lists of disk requests"},
    {"blkdev_ioc", "", "disk contexts of processes"},
    {"btrfs_", "btrfs", "Btrfs"},
    {"buffer_head", "", "file cache: disk blocks of pages"},
    {"ceph_", "ceph", "Ceph"},
    {"cifs_", "cifs", "SMB client"},
    {"configfs_dir_cache", "", "configfs entries"},
    {"cred_jar", "", "credentials of tasks"},
    {"dax_cache", "", "devices with directly mapped memory"},
    {"debugfs_inode_cache", "", "debugfs entries"},
    {"dentry", "", "names of files seen; given back under pressure"},
    {"dma-kmalloc-", "", "kmalloc for old DMA devices: any driver"},
    {"dm_", "dm_mod", "device mapper"},
    {"dnotify_", "", "watches of folders"},
    {"dquot", "", "disk quotas"},
    {"drm_", "drm", "graphics"},
    {"erofs_", "erofs", "EROFS"},
    {"eventpoll_", "", "epoll: one entry for each watched descriptor"},
    {"ep_head", "", "epoll: lists of watched files"},
    {"exfat_", "exfat", "exFAT"},
    {"ext4_", "ext4", "ext4"},
    {"extent_status", "ext4", "ext4: positions of file data"},
    {"f2fs_", "f2fs", "F2FS"},
    {"fanotify_", "", "watches of file systems"},
    {"fasync_cache", "", "signals asked for by readers"},
    {"fat_", "fat", "FAT"},
    {"file_lease_cache", "", "leases on files"},
    {"file_lock_cache", "", "file locks"},
    {"files_cache", "", "descriptor tables of processes"},
    {"filp", "", "open files; follow leaked descriptors"},
    {"fscrypt_", "", "file encryption"},
    {"fsnotify_", "", "watches of files"},
    {"ftrace_", "", "kernel tracing"},
    {"fuse_", "fuse", "file systems in programs"},
    {"gfs2_", "gfs2", "GFS2"},
    {"hugetlbfs_inode_cache", "", "files of huge pages"},
    {"i915_", "i915", "Intel graphics"},
    {"inet_peer_cache", "", "what is known of other hosts"},
    {"inode_cache", "", "inodes of small file systems"},
    {"inotify_", "", "watches of files"},
    {"io_kiocb", "", "io_uring requests in flight"},
    {"iommu_", "", "DMA address translation"},
    {"ip4-frags", "", "IP packets in pieces"},
    {"ip6-frags", "", "IPv6 packets in pieces"},
    {"ip_fib_", "", "IP routes"},
    {"ip6_dst_cache", "", "IPv6 routes in use"},
    {"ip_dst_cache", "", "IP routes in use"},
    {"jbd2_", "jbd2", "journal of ext4 and OCFS2"},
    {"jffs2_", "jffs2", "JFFS2"},
    {"kernfs_", "", "sysfs and cgroup entries; grow with cgroups"},
    {"key_jar", "", "kernel key rings"},
    {"khugepaged_", "", "huge page daemon"},
    {"kioctx", "", "asynchronous I/O contexts"},
    {"kmalloc-", "", "kmalloc of this size: any driver"},
    {"kmalloc-cg-", "", "kmalloc charged to cgroups: any driver"},
    {"kmalloc-rcl-", "", "kmalloc that can be given back: any driver"},
    {"kmem_cache", "", "descriptions of slab caches"},
    {"kmem_cache_node", "", "descriptions of slab caches"},
    {"ksm_", "", "merging of equal pages"},
    {"kvm_", "kvm", "virtual machines"},
    {"lsm_", "", "security modules: labels"},
    {"maple_node", "", "address ranges of processes"},
    {"mb_cache_entry", "", "shared extended attributes of ext4"},
    {"mem_cgroup", "", "memory cgroups; stay after removal while their pages live"},
    {"memdup_user-", "", "data copied from programs"},
    {"mm_struct", "", "address spaces"},
    {"mnt_cache", "", "mounts"},
    {"mqueue_", "", "message queues"},
    {"msg_msg-", "", "messages in queues"},
    {"names_cache", "", "path names while they are looked up"},
    {"net_namespace", "", "network namespaces"},
    {"nf_conntrack", "nf_conntrack", "connections followed by the firewall"},
    {"nfs_", "nfs", "NFS client"},
    {"nfsd_", "nfsd", "NFS server"},
    {"ntfs_", "ntfs3", "NTFS"},
    {"nvme-", "nvme", "NVMe disks"},
    {"ocfs2_", "ocfs2", "OCFS2"},
    {"ovl_", "overlay", "overlay file system of containers"},
    {"perf_event", "", "performance events"},
    {"pid", "", "process numbers"},
    {"pid_namespace", "", "process namespaces"},
    {"pidfs_", "", "process descriptors"},
    {"posix_timers_cache", "", "timers of programs"},
    {"proc_", "", "procfs entries"},
    {"radix_tree_node", "", "file cache: index of pages"},
    {"request_queue", "", "disks"},
    {"request_sock_", "", "TCP connections being opened"},
    {"scsi_", "scsi_mod", "SCSI disks"},
    {"secpath_cache", "", "IPsec packets"},
    {"seq_file", "", "open procfs and sysfs files"},
    {"shmem_inode_cache", "", "tmpfs and shared memory files"},
    {"sighand_cache", "", "signal handlers of processes"},
    {"signal_cache", "", "processes"},
    {"sigqueue", "", "signals in delivery"},
    {"skbuff_", "", "network packets"},
    {"sock_inode_cache", "", "sockets; follow leaked descriptors"},
    {"squashfs_", "squashfs", "SquashFS"},
    {"task_delay_info", "", "waiting times of tasks"},
    {"task_group", "", "CPU cgroups"},
    {"task_struct", "", "tasks; follow threads"},
    {"taskstats", "", "accounting of tasks"},
    {"tcp_bind_bucket", "", "TCP ports in use"},
    {"trace_event_file", "", "kernel tracing"},
    {"tracefs_inode_cache", "", "tracefs entries"},
    {"tw_sock_", "", "TCP connections just closed"},
    {"ubifs_", "ubifs", "UBIFS"},
    {"udf_", "udf", "UDF"},
    {"uid_cache", "", "users"},
    {"user_namespace", "", "user namespaces"},
    {"userfaultfd_", "", "page faults handled by programs"},
    {"virtio_", "virtio", "devices of virtual machines"},
    {"vm_area_struct", "", "address ranges of processes"},
    {"vmap_area", "", "areas of vmalloc"},
    {"xfrm_", "", "IPsec"},
    {"xfs_", "xfs", "XFS"},
    {"xt_hashlimit", "xt_hashlimit", "rate limits of the firewall"},
    {"zfs_", "zfs", "ZFS"},
    {"zio_", "zfs", "ZFS: requests and buffers"},
    {"zswap_", "zswap", "compressed swap"},
});

constexpr bool by_cache(const KnownTag& a, const KnownTag& b) { return a.tag < b.tag; }
constexpr auto sorted_caches() {
  auto caches = kCaches;
  std::sort(caches.begin(), caches.end(), by_cache);
  return caches;
}
constexpr auto kSortedCaches = sorted_caches();
static_assert(std::adjacent_find(kSortedCaches.begin(), kSortedCaches.end(),
                                 [](const KnownTag& a, const KnownTag& b) { return a.tag == b.tag; }) == kSortedCaches.end());

const KnownTag* row_of(std::string_view name) {
  const auto found = std::lower_bound(kSortedCaches.begin(), kSortedCaches.end(), KnownTag{name, {}, {}}, by_cache);
  return found != kSortedCaches.end() && found->tag == name ? &*found : nullptr;
}

}  // namespace

std::span<const KnownTag> known_slab_caches() { return kSortedCaches; }

const KnownTag* find_known_slab_cache(std::string_view cache) {
  if (const KnownTag* exact = row_of(cache)) return exact;
  for (std::size_t length = cache.size(); length > 0; --length)
    if (cache[length - 1] == '-' || cache[length - 1] == '_')
      if (const KnownTag* family = row_of(cache.substr(0, length))) return family;
  return nullptr;
}

}  // namespace kmem::drivers
