"""A procfs and a sysfs of files that are the same on every machine: what a scrape costs is counted on them.
235 slab caches, a third of which change from one look to the next, as on a machine that works."""
import pathlib

CACHES = 235
WORDS = ("ext4", "xfs", "nfs", "btrfs", "fuse", "sock", "task", "file", "vm_area", "kmalloc", "dentry", "radix", "skbuff", "bio", "proc")
TAILS = ("inode_cache", "struct", "extent_status", "io_end", "head", "node", "delayed_ref", "groupinfo_4k", "cache", "fclone", "pool",
         "request", "xattr", "table", "entry", "map")


def noise(seed):
    seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
    return seed >> 33


class ProcTree:
    def __init__(self, folder):
        self.proc, self.sys = pathlib.Path(folder) / "proc", pathlib.Path(folder) / "sys"
        self.names = [f"{WORDS[i % len(WORDS)]}_{TAILS[i // len(WORDS)]}" for i in range(CACHES)]
        vm = self.proc / "sys" / "vm"
        vm.mkdir(parents=True)
        for i, name in enumerate(("admin_reserve_kbytes", "dirty_background_ratio", "dirty_ratio", "max_map_count", "min_free_kbytes",
                                  "nr_hugepages", "overcommit_memory", "overcommit_ratio", "panic_on_oom", "swappiness",
                                  "user_reserve_kbytes", "vfs_cache_pressure", "watermark_boost_factor", "watermark_scale_factor")):
            (vm / name).write_text(f"{noise(i) % 10_000}\n")
        for i, name in enumerate(self.names):
            folder = self.sys / "kernel" / "slab" / name
            folder.mkdir(parents=True)
            (folder / "reclaim_account").write_text(f"{i % 3 // 2}\n")
        for i in range(40):
            process = self.proc / str(100 + 17 * i)
            (process / "fd").mkdir(parents=True)
            (process / "comm").write_text(f"process-{i}\n")
            for descriptor in range(3 + i % 5):
                (process / "fd" / str(descriptor)).write_text("")
        (self.proc / "stat").write_text("cpu  1 2 3 4 5 6 7 0 0 0\nbtime 1767225600\nprocesses 12345\n")
        (self.proc / "vmstat").write_text("nr_free_pages 1000\noom_kill 3\nallocstall_normal 17\npgfault 5\n")
        self.look(0)

    def look(self, number):
        """What the kernel says at the look of that number. The length of a text does not depend on it."""
        rows = ["slabinfo - version: 2.1",
                "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> "
                "<sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>"]
        for i, name in enumerate(self.names):
            digits = 1 + noise(i) % 5
            slabs = 10 ** digits + noise(i * 1000 + (number if i % 3 == 0 else 0)) % (8 * 10 ** digits)
            if i % 3 == 1:  # as most file systems' that are not mounted
                slabs = 0
            a_slab, pages = 8 + noise(i + 5) % 30, 1 << noise(i + 9) % 4
            objects = slabs * a_slab
            rows.append(f"{name:<17} {max(objects - i % 7, 0):>6} {objects:>6} {64 + 8 * i:>6} {a_slab:>4} {pages:>4} : tunables    0    0    0 "
                        f": slabdata {slabs:>6} {slabs:>6}      0")
        (self.proc / "slabinfo").write_text("\n".join(rows) + "\n")
        names = ("MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SwapTotal", "SwapFree", "Slab", "SReclaimable", "SUnreclaim",
                 "KernelStack", "PageTables", "CommitLimit", "Committed_AS", "VmallocTotal", "VmallocUsed", "Percpu")
        kib = [10_000_000 + noise(i * 77 + (number if i % 2 else 0)) % 80_000_000 for i in range(len(names))]
        (self.proc / "meminfo").write_text("".join(f"{name + ':':<16}{value:>8} kB\n" for name, value in zip(names, kib)))
