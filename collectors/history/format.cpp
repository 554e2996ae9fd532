#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "collectors/base/time_words.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_order.h"
#include "collectors/history/line_prefix.h"
#include "collectors/history/recognise.h"
#include "collectors/history/sar_memory.h"
#include "collectors/history/script_csv.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/text_header.h"
#include "collectors/replay/capture.h"
#include "collectors/source.h"

namespace kmem::history {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kHeadBytes = 4096;  // a loop may write other things above the first table

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
  CaptureHistory(replay::CaptureReader reader, FileNotes notes) : reader_(std::move(reader)), notes_(std::move(notes)) {}

  /// Goes on behind damage as long as whole frames follow.
  Result<bool> next(Snapshot& out) override {
    for (;;) {
      auto more = reader_.next(frame_);
      if (more && *more) {
        parse_frame(frame_, out);
        note_system(out);
      }
      if (more || more.error().code != base::ErrorCode::kMalformed) return more;
      const auto passed = reader_.resume();
      if (!passed) return passed.error();
      const std::string what =
          without_path(more.error().message) + "; " + std::to_string(passed->bytes) + " bytes are passed over";
      if (!passed->frame_follows) return Error{ErrorCode::kMalformed, notes_.path() + ": " + what};
      notes_.skip(0, what);
    }
  }

 private:
  /// `record` goes on with the file that it finds, which a copy may have brought from another host.
  void note_system(const Snapshot& now) {
    if (is_told_) return;
    if (!first_ || (!first_->os && now.os && first_->system == now.system)) {
      first_.emplace();
      first_->system = now.system;
      first_->os = now.os;
    } else if (is_other_system(*first_, now)) {
      notes_.warn("is of " + system_words(*first_) + ", from " + base::rfc3339(now.time) + " on of " + system_words(now) +
                  "; they are taken as one host's, which they are not unless it was upgraded");
      is_told_ = true;
    }
  }

  /// The note names the file.
  [[nodiscard]] std::string without_path(const std::string& message) const {
    return message.starts_with(notes_.path() + ": ") ? message.substr(notes_.path().size() + 2) : message;
  }

  replay::CaptureReader reader_;
  FileNotes notes_;
  RawFrame frame_;
  std::optional<Snapshot> first_;  // system and os only
  bool is_told_ = false;
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

// Without blank lines before it, and the one in which a spreadsheet names its separator.
std::string first_line(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  const std::size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
  const std::string_view line = text.substr(begin, end - begin);
  return names_separator(line) ? first_line(text.substr(end)) : std::string(line);
}

// Of perfmon's header, if it is one: the first cell names the format, the others have paths.
std::optional<char> perfmon_separator(std::string_view line) {
  if (line.starts_with('"')) line.remove_prefix(1);
  if (!line.starts_with("(PDH-CSV") && !line.starts_with("(PDH-TSV")) return std::nullopt;
  const std::size_t path = line.find('\\');
  if (path == std::string_view::npos) return line.starts_with("(PDH-TSV") ? '\t' : ',';
  const std::size_t mark = line.find_last_of(kSeparators, path);
  return mark == std::string_view::npos ? ',' : line[mark];
}

/// The header of CSV that stands in a mail or in a text, or a few lines below the beginning.
struct CsvStart {
  Format format = Format::kOther;  // kScriptCsv; else perfmon's or our own
  std::string header;
  std::size_t lines_above = 0;
  std::size_t other_line = 0;  // of those: where something begins that is passed over with them; 0: nowhere
  std::string other;
  std::vector<std::size_t> rows;  // of those: what has a field for each of the heading's, and numbers
};

std::optional<CsvStart> find_csv(std::string_view text) {
  std::size_t above = 0, other_line = 0;
  std::string other;
  bool is_first = true, any_wrapped = false;
  std::vector<std::pair<std::size_t, std::string>> numbers;  // lines with them
  for (std::string_view rest = text; !rest.empty(); ++above) {
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    std::string line(rest.substr(0, end));
    rest.remove_prefix(end);
    if (rest.starts_with("\r\n")) rest.remove_prefix(1);
    if (!rest.empty()) rest.remove_prefix(1);
    const bool wrapped = is_wrapped(line);
    any_wrapped |= wrapped;
    if (!take_unwrapped(line) || trimmed(line).empty() || names_separator(line) || trimmed(line).starts_with("#TYPE")) continue;
    const bool plain = std::exchange(is_first, false) && !any_wrapped && !has_web_blanks(text);
    if (plain && (csv_separator(line) || script_csv_kind(line) || perfmon_separator(line))) return std::nullopt;  // as it is
    const bool is_script = !perfmon_separator(line) && has_script_times(line);
    if (is_script || perfmon_separator(line) || has_all_columns(line)) {
      CsvStart start{is_script ? Format::kScriptCsv : Format::kOther, line, above, other_line, std::move(other), {}};
      for (const auto& [number, text_above] : numbers)
        for (const char mark : {',', ';', '\t', '|'})
          if (const auto marks = std::count(line.begin(), line.end(), mark);
              marks > 1 && std::count(text_above.begin(), text_above.end(), mark) == marks)
            start.rows.push_back(number);
      return start;
    }
    if (line.find_first_of("0123456789") != std::string::npos) numbers.emplace_back(above + 1, line);
    if (const std::string_view begins = begins_other(line); other_line == 0 && !begins.empty()) {
      other_line = above + 1;
      other = begins;
    }
  }
  return std::nullopt;
}

struct Magic {
  std::string_view bytes;
  std::string_view what;
};
constexpr std::array kOthers = {
    Magic{std::string_view("\xff\xfe\0\0", 4), "UTF-32, which no tool here writes; save it as UTF-8"},
    Magic{std::string_view("\0\0\xfe\xff", 4), "UTF-32, which no tool here writes; save it as UTF-8"},
    Magic{"PK\x03\x04", "a zip archive (a workbook of Excel is one, too); unpack it, or save it as CSV"},
    Magic{"PK\x05\x06", "an empty zip archive"},
    Magic{"\x1f\x8b", "compressed; unpack it first"},
    Magic{"BZh", "compressed; unpack it first"},
    Magic{"\xfd"
          "7zXZ",
          "compressed; unpack it first"},
    Magic{"\x28\xb5\x2f\xfd", "compressed; unpack it first"},
    Magic{"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"},
    Magic{"Rar!", "a rar archive; unpack it first"},
    Magic{"MSCF", "a cabinet; unpack it first"},
    Magic{"KDUMP   ",
          "a dump of the Linux kernel; open it in crash, and record on the running system: /proc/slabinfo below dates"},
    Magic{"makedumpfile",
          "a dump of the Linux kernel; open it in crash, and record on the running system: /proc/slabinfo below dates"},
    Magic{"\x7f"
          "ELF",
          "a dump of the Linux kernel or a program; record on the running system: /proc/slabinfo below dates"},
    Magic{"PAGEDU", "a memory dump; open it in the debugger and take what !vm and !poolused 2 print"},
    Magic{"PAGEDUMP", "a memory dump; open it in the debugger and take what !vm and !poolused 2 print"},
    Magic{"MDMP", "a memory dump of a process; it has no pools"},
    Magic{"ElfFile", "an event log; it has no pools"},
    Magic{"regf", "a registry hive; it has no pools"},
    Magic{"\x89PNG", "a picture; take the text itself"},
    Magic{"\xff\xd8\xff", "a picture; take the text itself"},
    Magic{"GIF8", "a picture; take the text itself"},
    Magic{"%PDF", "a PDF; take the text out of it"},
    Magic{"{\\rtf", "rich text; save it as plain text"},
    Magic{"\xd0\xcf\x11\xe0", "a document of Office; save it as CSV or plain text"},
};

// As text a zero byte here and there is a terminal's; many are numbers.
bool is_binary(std::string_view text) {
  const auto zeros = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\0'));
  return zeros * 50 > text.size() || (zeros > 0 && text.substr(0, 4).find('\0') != std::string_view::npos);
}

std::string whole_line(std::string_view line) {
  std::string plain, unquoted;
  return std::string(trimmed(without_quotes(without_escapes(line, plain), unquoted)));
}

std::function<bool(std::string&)> csv_filter(const CsvStart& start) {
  return [above = start.lines_above](std::string& line) mutable { return above > 0 ? (--above, false) : take_unwrapped(line); };
}

/// Of a file whose lines have something before them.
class PrefixedHistory final : public SnapshotReader {
 public:
  PrefixedHistory(std::unique_ptr<SnapshotReader> inner, std::string host) : inner_(std::move(inner)), host_(std::move(host)) {}

  Result<bool> next(Snapshot& out) override { return inner_->next(out); }
  [[nodiscard]] std::uint64_t line() const override { return inner_->line(); }
  [[nodiscard]] const std::string& host() const override { return inner_->host().empty() ? host_ : inner_->host(); }
  [[nodiscard]] bool is_newest_first() const override { return inner_->is_newest_first(); }
  [[nodiscard]] bool is_unsorted() const override { return inner_->is_unsorted(); }
  [[nodiscard]] bool has_host_lines() const override { return inner_->has_host_lines(); }
  [[nodiscard]] bool has_one_host_line() const override { return inner_->has_one_host_line(); }
  [[nodiscard]] std::string year_day_month() const override { return inner_->year_day_month(); }
  [[nodiscard]] const char* fault_of_order() const override { return inner_->fault_of_order(); }

 private:
  std::unique_ptr<SnapshotReader> inner_;
  std::string host_;
};

DateLook date_look(Format format, std::string_view text, const std::optional<CsvStart>& start) {
  if (start) {
    DateLook look = date_look(start->format, start->header, std::nullopt);
    look.date_in = [inner = look.date_in, filter = csv_filter(*start)](std::string_view raw) mutable {
      std::string line(raw);
      return filter(line) ? inner(line) : std::string();
    };
    return look;
  }
  const std::string name(format_name(format));
  switch (format) {
    case Format::kSar:
      return {name, [](std::string_view line) {
                const auto heading = parse_sar_heading(trimmed(line));
                return heading ? std::string(heading->date) : std::string();
              }};
    case Format::kScriptCsv:
      return {name, [times = ScriptTimes()](std::string_view line) mutable { return times.time_in(line); }};
    default: break;
  }
  if (format != Format::kOther) return {name, whole_line};
  if (const auto separator = perfmon_separator(first_line(text)))
    return {"perfmon", [cells = *separator](std::string_view line) { return whole_line(line.substr(0, line.find(cells))); },
            kMaxPerfmonLineBytes};
  return {"text", whole_line};
}

const Magic* other_kind(std::string_view head) {
  const auto other =
      std::find_if(kOthers.begin(), kOthers.end(), [&](const Magic& magic) { return head.starts_with(magic.bytes); });
  constexpr std::size_t kTarMark = 257;
  static constexpr Magic kTar{"ustar", "a tar archive; unpack it first"};
  if (head.size() > kTarMark && head.substr(kTarMark).starts_with(kTar.bytes)) return &kTar;
  return other == kOthers.end() ? nullptr : &*other;
}

std::string decoded(std::string head) {
  std::string text;
  TextDecoder().decode(head, true, text);
  return text;
}

/// The lines of a head as LineReader gives them.
std::string undressed(std::string text) {
  if (text.find_first_of("\x1b>") == std::string::npos) return text;
  std::string all, line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    line.assign(text, at, end - at);
    take_off_dressing(line);
    all.append(line).append(text, end, 1);
    at = end + 1;
  }
  return all;
}

/// What the head of a file tells.
struct Look {
  std::string text;  // without what stands before each line
  std::optional<LinePrefix> prefix;
  Format format = Format::kOther;
  std::optional<CsvStart> start;
};

bool may_start_csv(Format format) { return format == Format::kOther || format == Format::kScriptCsv; }

Look look_at(std::string head) {
  Look look{undressed(decoded(std::move(head))), std::nullopt, Format::kOther, std::nullopt};
  look.format = recognise(look.text);
  look.prefix = LinePrefix::of(look.text);
  // Lines of sar and of Prometheus are told wherever they stand in a line.
  const bool is_told_behind = look.format == Format::kSar || look.format == Format::kPrometheusLines;
  if (look.prefix && !may_start_csv(look.format) && !look.prefix->joins_lines() &&
      !(is_told_behind && recognise(look.prefix->taken_off(look.text)) == look.format))
    look.prefix.reset();
  if (look.prefix) {
    look.prefix->leave_times();
    std::string bare = look.prefix->taken_off(look.text);
    look.text = std::move(bare);
    look.format = recognise(look.text);
  }
  if (may_start_csv(look.format)) look.start = find_csv(look.text);
  const std::string first = first_line(look.text);
  const bool is_csv = look.start || look.format == Format::kScriptCsv || perfmon_separator(first) || csv_separator(first);
  // What runs a debugger over a dump, or prints a log, writes its own time before the one that counts.
  const bool has_own_times =
      look.text.find("Debug session time:") != std::string::npos || look.text.find("!SystemTime=") != std::string::npos;
  if (look.prefix && !is_csv && !has_own_times && look.format != Format::kSar && look.format != Format::kPrometheusLines)
    look.prefix->give_times();
  return look;
}

/// The head without what curl tells above an answer.
std::string from_json(Format format, const std::string& head, FileNotes& notes) {
  if (format != Format::kPrometheusJson && format != Format::kSadfJson) return head;
  const std::size_t begin = head.find("\n{\"s");
  if (begin == std::string::npos || head.find_first_of("{[") < begin) return head;
  const auto above = std::count(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(begin) + 1, '\n');
  notes.skip(1, std::to_string(above) + " lines above the answer are passed over");
  return head.substr(begin + 1);
}

DateOptions dates_of(BesideDates& beside, const HistoryOptions& options, const FileNotes& notes) {
  return {options.date_order, [&beside, notes = FileNotes(notes)]() mutable { return beside.of_text(notes); },
          [&beside] { return beside.of_names(); }, [&beside, path = notes.path()] { return beside.month_first_fits(path); },
          [&beside, path = notes.path()](DateOrder order) { return beside.denial(path, order); }};
}

}  // namespace

std::optional<DateLook> look_for_dates(base::FileSystem& files, const std::string& path) {
  auto file = files.open(path, base::OpenMode::kRead);
  if (!file) return std::nullopt;
  const auto head = read_head(**file);
  if (!head || head->starts_with("KMCAPTUR") || other_kind(*head) != nullptr) return std::nullopt;
  const Look seen = look_at(*head);
  const Format format = seen.format;
  const std::optional<CsvStart>& start = seen.start;
  const std::string& text = seen.text;
  const LineFormat* const row = line_format(format);
  if (format != Format::kOther && (row == nullptr || !row->has_day_and_month)) return std::nullopt;
  const std::string header = start ? start->header : first_line(text);
  if (format == Format::kOther && (!start || start->format == Format::kOther) && csv_separator(header) &&
      !perfmon_separator(header))
    return std::nullopt;
  DateLook look = date_look(format, text, start);
  if (!seen.prefix) return look;
  look.date_in = [inner = look.date_in, before = *seen.prefix, number = std::uint64_t{0}](std::string_view raw) mutable {
    std::string line(raw), above;
    if (!before.take(line, above, ++number, [](std::uint64_t, const std::string&) {})) return std::string();
    std::string date = above.empty() ? std::string() : inner(above);
    return date.empty() ? inner(line) : date;
  };
  return look;
}

Reader open_reader(base::FileSystem& files, const std::string& path, const HistoryOptions& options, BesideDates& beside,
                   Notes& notes, std::uint64_t& bytes_read, bool any_order) {
  auto file = files.open(path, base::OpenMode::kRead);
  if (!file) return file.error();
  const auto head = read_head(**file);
  if (!head) return head.error();
  bytes_read += head->size();
  const auto refuse = [&](std::string_view what) { return Error{ErrorCode::kMalformed, path + ": " + std::string(what)}; };
  if (head->empty()) return refuse("empty");
  FileNotes file_notes(notes, path);
  const Look seen = look_at(*head);
  auto headed = std::make_unique<HeadedFile>(from_json(seen.format, *head, file_notes), std::move(*file), bytes_read);
  if (head->starts_with("KMCAPTUR")) {
    auto capture = replay::CaptureReader::over(std::move(headed), path);
    if (!capture) return capture.error();
    file_notes.read_as("capture");
    return std::unique_ptr<SnapshotReader>(std::make_unique<CaptureHistory>(std::move(*capture), file_notes));
  }
  if (const Magic* const other = other_kind(*head)) return refuse(other->what);
  const std::string& text = seen.text;
  const std::optional<LinePrefix>& prefix = seen.prefix;
  const std::optional<CsvStart>& start = seen.start;
  Format format = seen.format;
  if (prefix && !prefix->problem().empty()) return refuse(prefix->problem());
  if (may_start_csv(format) && are_events(text))
    if (const auto look = unusable_look(text)) return refuse(*look);
  const auto info = files.info(path);
  const std::optional<base::UnixMillis> modified = info ? std::optional(info->modified) : std::nullopt;
  const auto text_options = [&] {
    DateOptions dates = dates_of(beside, options, file_notes);
    if (const auto known = options.learned.year_day_month.find(path); known != options.learned.year_day_month.end())
      dates.year_day_month = known->second;
    return TextOptions{modified,
                       dates,
                       [&beside, path] { return beside.shares_modified(path); },
                       options.learned.with_host_lines.contains(path),
                       [&files, path, prefix, start, is_pipe = !info || info->size_bytes == 0]() -> base::Result<LineReader> {
                         if (is_pipe) return Error{ErrorCode::kInvalid, "a pipe is read once only"};
                         auto file_again = files.open(path, base::OpenMode::kRead);
                         if (!file_again) return file_again.error();
                         LineReader reader(std::move(*file_again));
                         if (prefix || start)
                           reader.set_filter([before = prefix, csv = start ? csv_filter(*start) : nullptr](
                                                 std::string& line, std::string& above, std::uint64_t number) mutable {
                             const auto skip = [](std::uint64_t, const std::string&) {};
                             return (!before || before->take(line, above, number, skip)) && (!csv || csv(line));
                           });
                         return reader;
                       },
                       [&beside, path, dates] { return beside.date_of_name(path, dates); }};
  };
  if (start) format = start->format;
  if (start && start->other_line > 0)
    file_notes.skip(start->other_line, start->other +
                                           " begins here, and is passed over with all above the CSV that begins in line " +
                                           std::to_string(start->lines_above + 1) + "; put each into a file of its own");
  if (start)
    for (const std::size_t row : start->rows)
      file_notes.skip(row, "a row above the heading; move it below, or sort the file by time");
  const auto lines = [&](std::size_t longest = kMaxLineBytes) {
    LineReader reader(std::move(headed), longest);
    if (info) reader.set_size(info->size_bytes);
    if (prefix) {
      file_notes.timed_by(prefix->words());
      reader.set_filter([before = *prefix, csv = start ? csv_filter(*start) : nullptr, file_notes](
                            std::string& line, std::string& above, std::uint64_t number) mutable {
        const auto skip = [&](std::uint64_t at, const std::string& why) { file_notes.skip(at, why); };
        return before.take(line, above, number, skip) && (!csv || csv(line));
      });
    } else if (start) {
      reader.set_filter(
          [csv = csv_filter(*start)](std::string& line, std::string&, std::uint64_t) mutable { return csv(line); });
    }
    return reader;
  };
  const auto whole = [&](Reader reader) -> Reader {
    if (!reader || !prefix || prefix->host().empty()) return reader;
    return std::unique_ptr<SnapshotReader>(std::make_unique<PrefixedHistory>(std::move(*reader), prefix->host()));
  };
  if (format != Format::kOther) {
    file_notes.read_as(format_name(format));
    if (format == Format::kPrometheusJson) return make_prometheus_json(std::move(headed), file_notes);
    if (format == Format::kSadfJson) return make_sadf_json(std::move(headed), file_notes);
    if (const LineFormat* const row = line_format(format)) return whole(row->make(lines(), file_notes, text_options()));
  }
  const std::string line = start ? start->header : first_line(text);
  if (const auto separator = perfmon_separator(line)) {
    file_notes.read_as("perfmon CSV");
    return whole(
        make_perfmon_history(lines(kMaxPerfmonLineBytes), file_notes, {*separator, dates_of(beside, options, file_notes)}));
  }
  if (const auto separator = csv_separator(line)) {
    file_notes.read_as("CSV");
    return whole(make_csv_history(lines(), file_notes, *separator, any_order));
  }
  if (const auto look = unusable_look(prefix ? text : *head)) return refuse(*look);
  if (is_binary(text)) return refuse("binary, and no capture; perfmon's logs become CSV by: relog FILE -f csv -o OUT");
  file_notes.read_as("poolmon, memsnap or debugger text");
  return whole(make_text_history(lines(), file_notes, text_options()));
}

}  // namespace kmem::history
