#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "collectors/history/csv_fields.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/replay/capture.h"
#include "collectors/source.h"

namespace kmem::history {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kHeadBytes = 1024;

/// A file whose first bytes were read already; counts what is read.
class HeadedFile final : public base::File {
 public:
  HeadedFile(std::string head, std::unique_ptr<base::File> rest, std::uint64_t& bytes_read)
      : head_(std::move(head)), rest_(std::move(rest)), bytes_read_(bytes_read) {}

  Result<std::size_t> read(std::span<std::byte> into) override {
    if (at_ < head_.size()) {
      const std::size_t length = std::min(into.size(), head_.size() - at_);
      std::memcpy(into.data(), head_.data() + at_, length);
      at_ += length;
      return length;
    }
    auto got = rest_->read(into);
    if (got) bytes_read_ += *got;
    return got;
  }
  Result<void> append(std::string_view) override { return refuse(); }
  Result<void> truncate(std::uint64_t) override { return refuse(); }
  Result<void> sync() override { return {}; }

 private:
  static Result<void> refuse() { return Error{ErrorCode::kInvalid, "a history is only read"}; }

  std::string head_;
  std::size_t at_ = 0;
  std::unique_ptr<base::File> rest_;
  std::uint64_t& bytes_read_;
};

class CaptureHistory final : public SnapshotReader {
 public:
  explicit CaptureHistory(replay::CaptureReader reader) : reader_(std::move(reader)) {}

  Result<bool> next(Snapshot& out) override {
    auto more = reader_.next(frame_);
    if (more && *more) parse_frame(frame_, out);
    return more;
  }

 private:
  replay::CaptureReader reader_;
  RawFrame frame_;
};

Result<std::string> read_head(base::File& file) {
  std::string head(kHeadBytes, '\0');
  std::size_t size = 0;
  while (size < head.size()) {
    const auto got = file.read(std::as_writable_bytes(std::span(head).subspan(size)));
    if (!got) return got.error();
    if (*got == 0) break;
    size += *got;
  }
  head.resize(size);
  return head;
}

// Without blank lines before it; UTF-16's zero bytes are left out, which is enough to tell the format.
std::string first_line(std::string head) {
  if (head.starts_with("\xff\xfe")) {
    head.erase(0, 2);
    head.erase(std::remove(head.begin(), head.end(), '\0'), head.end());
  } else if (head.starts_with("\xef\xbb\xbf")) {
    head.erase(0, 3);
  }
  const std::size_t begin = std::min(head.find_first_not_of(" \t\r\n"), head.size());
  const std::size_t end = std::min(head.find_first_of("\r\n", begin), head.size());
  return head.substr(begin, end - begin);
}

}  // namespace

Reader open_reader(base::FileSystem& files, const std::string& path, Notes& notes, std::uint64_t& bytes_read) {
  auto file = files.open(path, base::OpenMode::kRead);
  if (!file) return file.error();
  const auto head = read_head(**file);
  if (!head) return head.error();
  bytes_read += head->size();
  const auto refuse = [&](const std::string& what) { return Error{ErrorCode::kMalformed, path + ": " + what}; };
  if (head->empty()) return refuse("empty");
  auto headed = std::make_unique<HeadedFile>(*head, std::move(*file), bytes_read);
  if (head->starts_with("KMCAPTUR")) {
    auto capture = replay::CaptureReader::over(std::move(headed), path);
    if (!capture) return capture.error();
    return std::unique_ptr<SnapshotReader>(std::make_unique<CaptureHistory>(std::move(*capture)));
  }
  const std::string line = first_line(*head);
  if (line.starts_with("\"(PDH-CSV") || line.starts_with("(PDH-CSV"))
    return make_perfmon_history(LineReader(std::move(headed), kMaxPerfmonLineBytes), FileNotes(notes, path));
  if (line.starts_with("\"(PDH-TSV") || line.starts_with("(PDH-TSV"))
    return refuse("perfmon's text with tabs; write it as CSV: relog FILE -f csv -o OUT");
  if (is_csv_header(line)) return make_csv_history(LineReader(std::move(headed)), FileNotes(notes, path));
  if (head->starts_with("\x1f\x8b")) return refuse("compressed; unpack it first");
  if (!head->starts_with("\xff\xfe") && head->find('\0') != std::string::npos)
    return refuse("binary, and no capture; perfmon's logs become CSV by: relog FILE -f csv -o OUT");
  const auto info = files.info(path);
  return make_text_history(LineReader(std::move(headed)), FileNotes(notes, path),
                           info ? std::optional(info->modified) : std::nullopt);
}

}  // namespace kmem::history
