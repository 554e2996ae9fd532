// Headings and rows of the tables of Windows' tools, and of `top`.
#include "collectors/history/text_history.h"

#include <algorithm>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/row_text.h"

namespace kmem::history {
namespace {

constexpr std::uint64_t kWindowsPageBytes = 4096;

/// Not "KBytes", which is another unit.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
  const auto is_edge = [&](std::size_t at) { return at >= text.size() || text[at] == ' ' || text[at] == '\t'; };
  std::size_t at = text.find(word, from);
  while (at != std::string_view::npos && !((at == 0 || is_edge(at - 1)) && is_edge(at + word.size())))
    at = text.find(word, at + 1);
  return at;
}

}  // namespace

std::optional<RowSubject> TextHistory::subject_of_broken(std::string_view text) const {
  if (table_ == Table::kProcesses) return RowSubject{host_, {}, broken_process_, RowSubject::Kind::kProcess};
  if (table_ == Table::kPoolmon && is_of_system()) return RowSubject{{}, tags_[0].pool, tags_[0].tag};
  if (table_ == Table::kPoolused && is_of_system())
    return RowSubject{{}, {}, base::label_text(text.substr(0, std::min(text.find_first_of(" \t"), kTagLength)))};
  return std::nullopt;
}

TextHistory::Use TextHistory::header_or_row(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (text.empty()) return Use::kOther;
  return header(line, text) ? Use::kUsed : row(line);
}

bool TextHistory::header(std::string_view line, std::string_view text) {
  if (text.front() == '!' && text.find('=') != std::string_view::npos) {
    begin(has_rows_);
    metadata(text);
    return true;
  }
  if (text.starts_with("Memory:") && text.find("Avail:") != std::string_view::npos) {
    begin(has_system_rows_ || has_totals_);
    has_totals_ = apply_memory_line(line, building_);
    if (!has_totals_) notes_.skip(lines_.number(), "Memory or Avail is not a number of K");
    // The end of the line is lost.
    if (const std::size_t commit = text.find("Commit:"); commit != std::string_view::npos) commit_line(text.substr(commit));
    return true;
  }
  if (text.starts_with("Commit:") && text.find("Limit:") != std::string_view::npos) {
    begin(has_system_rows_);
    commit_line(line);
    return true;
  }
  constexpr std::string_view kMachine = "Machine Name:";
  if (same_word(text.substr(0, kMachine.size()), kMachine)) {
    machine(text.substr(kMachine.size()));
    return true;
  }
  if (text.find("Virtual Memory Usage") != std::string_view::npos) {
    begin_vm();
    return true;
  }
  if ((text.ends_with(')') || (text.find("Pool") != std::string_view::npos || text.starts_with("Commit") || in_vm_)) &&
      text.find(':') != std::string_view::npos && vm_line(line))
    return true;
  // Of the next look, whose time was lost.
  if ((has_rows_ || has_totals_) && clock_.tells_other_uptime(text)) begin(true);
  if (clock_.take_boot(text, lines_.number())) return true;
  if (const auto owner = parse_pool_owner(text)) {
    owner_ = owner;
    owner_line_ = lines_.number();
    return true;
  }
  return table_header(line, text);
}

void TextHistory::commit_line(std::string_view line) {
  bool is_cut = false;
  if (apply_commit_line(line, building_, &is_cut)) has_totals_ = true;
  else notes_.skip(lines_.number(), "Commit or Limit is not a number of K");
  if (is_cut) notes_.skip(lines_.number(), "the line ends before the pools' totals");
}

// Headings have no digits.
void TextHistory::look_for_row_in(std::string_view heading) {
  if (!has_digit(heading)) return;
  notes_.skip(lines_.number(), "a row stands behind the heading in one line, and is passed over");
  lose_row();
}

bool TextHistory::table_header(std::string_view line, std::string_view text) {
  if (auto columns = parse_process_header(line)) {
    begin(has_processes_);
    columns_ = std::move(columns);
    open(Table::kProcesses);
    return true;
  }
  if (!same_word(text.substr(0, 3), "Tag")) return false;
  if (auto columns = parse_poolused_header(text, titles_)) {
    // Tables of one look into one dump: !vm and !poolused, sorted this way and that.
    begin(begins_with(has_system_rows_ && !of_debugger_));
    const bool is_again = has_system_rows_;
    poolused_ = std::move(*columns);
    open(Table::kPoolused);
    of_debugger_ = true;
    if (is_again && is_of_system()) keep_apart(lines_.number());
    if (poolused_.pools.empty())
      notes_.skip(lines_.number(), "which pool this table is of is not said above it; its rows are passed over");
    look_for_row_in(text);
    return true;
  }
  if (text.find("Type") == std::string_view::npos) return false;
  if (const auto columns = parse_top_header(text); columns && !columns->counters) {
    begin(has_system_rows_);
    top_ = *columns;
    open(Table::kTop);
    if (!std::exchange(told_of_top_, true)) notes_.warn("the totals above the tables of `top` are rounded, and not used");
    return true;
  }
  if (text.find("Allocs") == std::string_view::npos) return false;
  begin(begins_with(has_system_rows_));
  open(Table::kPoolmon);
  has_per_alloc_ = find_word(text, "Per", 0) != std::string_view::npos;
  // Rows are read by their places: Allocs, Frees, Diff, Bytes.
  std::size_t at = 0;
  for (const std::string_view name : {"Type", "Allocs", "Frees", "Diff", "Bytes"}) {
    const std::size_t found = find_word(text, name, at);
    if (found == std::string_view::npos) {
      notes_.skip(lines_.number(),
                  std::string("the columns are not Tag, Type, Allocs, Frees, Diff, Bytes: ") + std::string(name) +
                      (find_word(text, name, 0) == std::string_view::npos ? " is missing" : " stands elsewhere") +
                      "; the table below is passed over");
      table_ = Table::kPassedOver;
      break;
    }
    at = found;
  }
  if (table_ == Table::kPoolmon) look_for_row_in(text);
  return true;
}

void TextHistory::open(Table table) {
  table_ = table;
  is_head_ = in_vm_ = any_broken_ = false;
  used_ = {};
  table_owner_ = std::exchange(owner_, std::nullopt).value_or(PoolOwner{});
  if (table_owner_.kind == PoolOwner::Kind::kAllSessions)
    notes_.skip(owner_line_,
                "pools of all sessions together: not the system's, and of no session; the table below is "
                "passed over");
}

TextHistory::Use TextHistory::row(std::string_view line) {
  if (table_ == Table::kPassedOver) return looks_like_a_row(line) ? Use::kUsed : Use::kOther;
  RowKind kind = RowKind::kOther;
  const char* refused = nullptr;
  const auto whole = [this](RowKind parsed) {
    if (parsed != RowKind::kRow || !is_followed_) return parsed;
    reason_ = "the row may be cut, for the next heading stands right behind it";
    return RowKind::kBroken;
  };
  if (table_ == Table::kProcesses) {
    ProcessUsage process;
    std::uint64_t working_set = 0;
    kind = whole(parse_process_row(line, *columns_, process, reason_, &working_set));
    if (kind == RowKind::kRow && working_set > 0) {
      ++working_sets_;
      whole_working_sets_ += working_set % kWindowsPageBytes == 0 ? 1 : 0;
    }
    if (kind == RowKind::kBroken) broken_process_ = process.name + " (" + std::to_string(process.pid) + ")";
    if (kind == RowKind::kRow) {
      SnapshotBuilder& into = target(building_.has_process(process.pid));
      refused = into.add(std::move(process));
    }
  } else if (table_ == Table::kPoolused) {
    kind = whole(parse_poolused_row(line, poolused_, tags_, reason_));
    any_broken_ |= kind == RowKind::kBroken;
    for (const TagUsage& tag : tags_)
      if (kind == RowKind::kRow && tag.pool <= Pool::kNonpaged) used_[static_cast<std::size_t>(tag.pool)] += tag.bytes;
    if (kind == RowKind::kRow && !tags_.empty()) {
      const TagUsage& last = tags_.back();
      if (!end_.is_whole(lines_, std::string(pool_name(last.pool)) + last.tag, static_cast<double>(last.bytes),
                         OpenEnd::ends_in_digit(lines_))) {
        notes_.skip(lines_.number(), kCutAtEnd, {{}, last.pool, last.tag});
        building_.snapshot().gaps.add(last.pool);
        tags_.pop_back();
      }
    }
    for (const TagUsage& tag : tags_) is_exact_.try_emplace(tag_key(tag.pool, tag.tag));
    if (kind == RowKind::kRow) refused = add_tags(is_of_system() && behind_blank_ ? target(is_of_another_look()) : building_);
  } else {
    tags_.resize(1);
    PerAlloc per_alloc = PerAlloc::kLoose;
    kind = whole(table_ == Table::kTop ? parse_top_row(line, top_, tags_[0], reason_)
                                       : parse_poolmon_row(line, tags_[0], reason_, &per_alloc));
    if (kind == RowKind::kRow && table_ == Table::kPoolmon && !is_of_one_piece(per_alloc)) {
      reason_ = "Bytes is not Diff times Per Alloc, as it was before";
      kind = RowKind::kBroken;
    }
    if (table_ == Table::kPoolmon && kind != RowKind::kOther) kind = unless_hexadecimal(line, kind);
    if (kind == RowKind::kBroken && table_ == Table::kPoolmon && !has_per_alloc_ &&
        reason_.find("Per Alloc") != std::string::npos)
      reason_ = "the heading has no column Per Alloc, without which a row that was cut looks whole; take poolmon's own table";
    if (kind == RowKind::kBroken && table_ == Table::kNone) kind = RowKind::kOther;  // prose about paged pool
    if (kind == RowKind::kOther && table_ == Table::kPoolmon &&
        parse_top_row(line, {true}, tags_[0], reason_) == RowKind::kRow && tags_[0].pool > Pool::kNonpaged)
      kind = RowKind::kRow;  // `top` of a kernel that counts, on Linux
    if (kind == RowKind::kRow)
      refused = add_tags(is_of_system() ? target(building_.has(tags_[0].pool, tags_[0].tag)) : building_);
  }
  if (kind == RowKind::kOther) return Use::kOther;
  is_head_ = false;
  if (kind == RowKind::kBroken) return Use::kBroken;
  begin(false);
  if (table_ == Table::kProcesses) has_processes_ = true;
  else if (is_of_system()) has_system_rows_ = true;
  has_rows_ |= table_owner_.kind != PoolOwner::Kind::kAllSessions;
  if (refused != nullptr) notes_.skip(lines_.number(), refused);
  return Use::kUsed;
}

// Of a table of hexadecimal numbers a row without letters looks right.
RowKind TextHistory::unless_hexadecimal(std::string_view line, RowKind kind) {
  constexpr std::uint64_t kProof = 2, kMostDigits = 16;
  if (kind == RowKind::kBroken) {
    std::string_view rest = after_blanks(line);
    std::size_t cells = 0, with_letters = 0;
    while (!(rest = after_blanks(rest)).empty()) {
      const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
      rest.remove_prefix(word.size());
      if (!is_digit(word.front()) && with_letters + cells == 0) continue;  // tag and type
      const bool is_hex =
          word.size() <= kMostDigits && word.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
      cells += is_hex ? 1 : 0;
      with_letters += is_hex && word.find_first_not_of("0123456789") != std::string_view::npos ? 1 : 0;
    }
    const bool was_proved = hexadecimal_rows_ >= kProof;
    hexadecimal_rows_ += cells >= 4 ? std::min<std::uint64_t>(with_letters, kProof) : 0;
    if (Snapshot& now = building_.snapshot(); !was_proved && hexadecimal_rows_ >= kProof && !now.tags.empty()) {
      notes_.skip(lines_.number(), std::to_string(now.tags.size()) + " rows above it look decimal, this one is hexadecimal");
      now.tags.clear();
      lose_row();
    }
  } else if (hexadecimal_rows_ >= kProof) {
    reason_ = "rows above it have hexadecimal numbers, so these may be, too; write them as decimals";
    return RowKind::kBroken;
  }
  return kind;
}

// A digit that was lost makes a tenth: where this tag's column is no invention.
bool TextHistory::is_of_one_piece(PerAlloc per_alloc) {
  bool& exact = is_exact_[tag_key(tags_[0].pool, tags_[0].tag)];
  // poolmon prints the quotient itself: where all rows had it, one that has not holds a wrong number.
  constexpr std::uint64_t kProof = 8;
  const bool is_off = per_alloc == PerAlloc::kOff || per_alloc == PerAlloc::kContradicts;
  if (is_off && (exact || (exact_rows_ >= kProof && off_rows_ == 0))) return false;
  exact_rows_ += per_alloc == PerAlloc::kExact ? 1 : 0;
  off_rows_ += is_off ? 1 : 0;
  if (per_alloc == PerAlloc::kContradicts) return true;
  if (per_alloc == PerAlloc::kParted && !std::exchange(told_of_touching_, true))
    notes_.warn("numbers that touch (line " + std::to_string(lines_.number()) +
                ") are parted so that Diff is Allocs less Frees and Bytes is Diff times Per Alloc");
  exact = per_alloc == PerAlloc::kExact || per_alloc == PerAlloc::kParted;
  return true;
}

const char* TextHistory::add_tags(SnapshotBuilder& into) {
  const char* refused = nullptr;
  for (TagUsage& tag : tags_) {
    const char* why = nullptr;
    if (tag.pool > Pool::kNonpaged) of_linux_ = true;
    if (table_owner_.kind == PoolOwner::Kind::kSession) why = into.add(SessionTagUsage{table_owner_.session, std::move(tag)});
    else if (is_of_system() && !says_the_same(into, tag)) why = into.add(std::move(tag));
    if (refused == nullptr) refused = why;
  }
  return refused;
}

/// !poolused sorted twice lists every tag twice.
bool TextHistory::says_the_same(const SnapshotBuilder& looked, const TagUsage& tag) const {
  if (table_ != Table::kPoolused || !looked.has(tag.pool, tag.tag)) return false;
  const auto& tags = looked.snapshot().tags;
  const auto there =
      std::find_if(tags.begin(), tags.end(), [&](const TagUsage& one) { return one.pool == tag.pool && one.tag == tag.tag; });
  if (there == tags.end()) return tag.bytes == 0;
  return there->bytes == tag.bytes && there->outstanding == tag.outstanding;
}

/// A second screen of the debugger without a time between.
bool TextHistory::is_of_another_look() const {
  return std::any_of(tags_.begin(), tags_.end(),
                     [&](const TagUsage& tag) { return building_.has(tag.pool, tag.tag) && !says_the_same(building_, tag); });
}

}  // namespace kmem::history
