// STAGE 1 beside the Snapshot: tag -> who allocates under it. Answers come from pooltag.txt, driver images, loaded
// modules and the built-in tables, whichever have been handed in; generation() changes when answers may have changed.
// Thread: safe from any thread; a look-up hashes and never waits for a scan. Failure: none; unknown is an empty list.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/snapshot.h"

namespace kmem::drivers {

/// One possible owner of a tag. Legal label text throughout.
struct Candidate {
  std::string driver;       // "ntfs.sys", "ext4"; empty when only the component is known
  std::string description;  // may be empty
  std::string source;       // pooltag.txt, image_scan, builtin or modules
};

struct KnownLeak;
class LeakSignatures;
class PoolTagText;
class ImageTags;
class KernelModules;

class Attribution {
 public:
  /// Best first, at most kMaxCandidates; several are all possible, none is certain.
  [[nodiscard]] std::vector<Candidate> candidates(Pool pool, std::string_view tag) const;
  [[nodiscard]] std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  /// Replace what was handed in before; null takes it away.
  void use(std::shared_ptr<const PoolTagText> text);
  void use(std::shared_ptr<const ImageTags> images);
  void use(std::shared_ptr<const KernelModules> modules);
  void use(std::shared_ptr<const LeakSignatures> signatures);
  /// Rows of the user's table for this tag whose driver is on this host in one of their versions: where it is known what
  /// the kernel has loaded, loaded.
  [[nodiscard]] std::vector<KnownLeak> known_leaks(Pool pool, std::string_view tag) const;

 private:
  struct Sources {
    std::shared_ptr<const PoolTagText> text;
    std::shared_ptr<const ImageTags> images;
    std::shared_ptr<const KernelModules> modules;
    std::shared_ptr<const LeakSignatures> signatures;
  };
  [[nodiscard]] Sources sources() const;
  template <typename T>
  void replace(std::shared_ptr<T> Sources::*which, std::shared_ptr<T> fresh);

  mutable std::mutex mutex_;
  Sources sources_;
  std::atomic<std::uint64_t> generation_{1};
};

inline constexpr std::size_t kMaxCandidates = 8;

/// "a.sys, b.sys": the candidates' distinct drivers, best first; beyond four, "and N more".
[[nodiscard]] std::string joined_drivers(const std::vector<Candidate>& candidates);
/// Of the best candidate that has one.
[[nodiscard]] std::string_view best_description(const std::vector<Candidate>& candidates);
/// "pooltag.txt, image_scan": where the joined drivers come from.
[[nodiscard]] std::string joined_sources(const std::vector<Candidate>& candidates);

}  // namespace kmem::drivers
