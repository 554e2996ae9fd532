// A FileSystem in memory for tests of broken disks: it fails on demand, and crash() leaves what a power cut would:
// data that was synced, under names that were renamed (rename is durable by contract). Thread: one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/file_io.h"

namespace kmem::test {

class MemoryFiles final : public base::FileSystem {
 public:
  /// Lets that many operations succeed; the later ones fail. A failing append writes half of its bytes first.
  void fail_after(std::uint64_t operations) { budget_ = operations; }
  void repair() { budget_ = std::numeric_limits<std::uint64_t>::max(); }
  [[nodiscard]] std::uint64_t operations() const { return operations_; }

  void crash() {
    std::erase_if(nodes_, [](const auto& entry) { return !entry.second->durable; });
    for (auto& [path, node] : nodes_) node->bytes = node->synced;
  }

  void put(const std::string& path, std::string bytes) {
    nodes_[path] = std::make_shared<Node>(Node{bytes, bytes, true, false});
  }
  /// Their paths, in that order.
  std::vector<std::string> put_all(const std::vector<std::pair<std::string, std::string>>& texts) {
    std::vector<std::string> paths;
    for (const auto& [path, text] : texts) {
      put(path, text);
      paths.push_back(path);
    }
    return paths;
  }
  [[nodiscard]] const std::string* get(const std::string& path) const {
    const auto found = nodes_.find(path);
    return found == nodes_.end() ? nullptr : &found->second->bytes;
  }
  /// As someone who cleans up.
  void forget_all() { nodes_.clear(); }
  [[nodiscard]] std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& [path, node] : nodes_) all.push_back(path);
    return all;
  }

  base::Result<std::unique_ptr<base::File>> open(const std::string& path, base::OpenMode mode) override {
    if (auto ok = spend(path, "open"); !ok) return ok.error();
    auto& node = nodes_[path];
    if (!node) {
      if (mode == base::OpenMode::kRead) {
        nodes_.erase(path);
        return base::Error{base::ErrorCode::kAbsent, path + ": absent"};
      }
      node = std::make_shared<Node>();
    }
    const bool owns = mode == base::OpenMode::kRewriteOwn;
    if (owns && node->has_writer) return base::Error{base::ErrorCode::kBusy, path + ": another process is writing it"};
    if (mode == base::OpenMode::kRewrite || owns) node->bytes.clear();
    node->has_writer |= owns;
    return std::unique_ptr<base::File>(std::make_unique<MemoryFile>(*this, node, path, owns));
  }

  base::Result<void> rename(const std::string& from, const std::string& to) override {
    if (auto ok = spend(from, "rename"); !ok) return ok;
    auto found = nodes_.extract(from);
    if (found.empty()) return base::Error{base::ErrorCode::kAbsent, from + ": absent"};
    found.mapped()->durable = true;
    nodes_[to] = found.mapped();
    return {};
  }

  base::Result<void> remove(const std::string& path) override {
    if (auto ok = spend(path, "remove"); !ok) return ok;
    if (nodes_.erase(path) == 0) return base::Error{base::ErrorCode::kAbsent, path + ": absent"};
    return {};
  }

  base::Result<std::vector<std::string>> names(const std::string& folder, std::string_view prefix) override {
    if (auto ok = spend(folder, "list"); !ok) return ok.error();
    const std::string start = folder == "." ? std::string(prefix) : folder + std::string(prefix);
    std::vector<std::string> found;
    for (const auto& [path, node] : nodes_)
      if (path.starts_with(start)) found.push_back(path.substr(start.size() - prefix.size()));
    return found;
  }

  base::Result<void> make_folder(const std::string& path) override { return spend(path, "make"); }

  /// The time that info gives for every file.
  void set_modified(base::UnixMillis time) { modified_ = time; }
  /// Of one alone.
  void set_modified(const std::string& path, base::UnixMillis time) { modified_of_[path] = time; }
  base::Result<base::FileInfo> info(const std::string& path) override {
    const auto found = nodes_.find(path);
    if (found == nodes_.end()) return base::Error{base::ErrorCode::kAbsent, path + ": absent"};
    const auto own = modified_of_.find(path);
    return base::FileInfo{found->second->bytes.size(), own != modified_of_.end() ? own->second : modified_, false};
  }

 private:
  struct Node {
    std::string bytes;
    std::string synced;
    bool durable = false;     // the name itself would survive
    bool has_writer = false;  // of kRewriteOwn
  };

  class MemoryFile final : public base::File {
   public:
    MemoryFile(MemoryFiles& files, std::shared_ptr<Node> node, std::string path, bool owns)
        : files_(files), node_(std::move(node)), path_(std::move(path)), owns_(owns) {}
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() override {
      if (owns_) node_->has_writer = false;
    }

    base::Result<std::size_t> read(std::span<std::byte> into) override {
      if (auto ok = files_.spend(path_, "read"); !ok) return ok.error();
      const std::size_t length = std::min(into.size(), node_->bytes.size() - std::min(at_, node_->bytes.size()));
      if (length > 0) std::memcpy(into.data(), node_->bytes.data() + at_, length);
      at_ += length;
      return length;
    }
    base::Result<void> append(std::string_view bytes) override {
      auto ok = files_.spend(path_, "write");
      node_->bytes += ok ? bytes : bytes.substr(0, bytes.size() / 2);
      return ok;
    }
    base::Result<void> truncate(std::uint64_t size_bytes) override {
      if (auto ok = files_.spend(path_, "truncate"); !ok) return ok;
      node_->bytes.resize(static_cast<std::size_t>(size_bytes));
      return {};
    }
    base::Result<void> sync() override {
      if (auto ok = files_.spend(path_, "sync"); !ok) return ok;
      node_->synced = node_->bytes;
      return {};
    }
    [[nodiscard]] bool is_still(const std::string& path) const override {
      const auto found = files_.nodes_.find(path);
      return found != files_.nodes_.end() && found->second == node_;
    }

   private:
    MemoryFiles& files_;
    std::shared_ptr<Node> node_;
    std::string path_;
    bool owns_;
    std::size_t at_ = 0;
  };

  base::Result<void> spend(const std::string& path, const char* verb) {
    ++operations_;
    if (budget_ == 0) return base::Error{base::ErrorCode::kIo, path + ": cannot " + verb + ": disk full"};
    --budget_;
    return {};
  }

  std::map<std::string, std::shared_ptr<Node>> nodes_;
  std::uint64_t budget_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t operations_ = 0;
  base::UnixMillis modified_ = 0;
  std::map<std::string, base::UnixMillis> modified_of_;
};

}  // namespace kmem::test
