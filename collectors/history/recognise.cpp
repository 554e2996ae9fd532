#include "collectors/history/recognise.h"

#include <algorithm>
#include <array>
#include <utility>

#include "collectors/history/csv_fields.h"
#include "collectors/history/linux_text.h"
#include "collectors/history/notes.h"
#include "collectors/history/prometheus_text.h"
#include "collectors/history/sar_memory.h"
#include "collectors/history/script_columns.h"
#include "collectors/history/script_csv.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/text_header.h"
#include "collectors/history/text_rows.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

// Without UTF-16's zero bytes and order marks: enough to tell the format.
std::string plain(std::string_view head) {
  std::string text(head);
  for (const std::string_view mark :
       {std::string_view("\xff\xfe"), std::string_view("\xfe\xff"), std::string_view("\xef\xbb\xbf")})
    if (text.starts_with(mark)) text.erase(0, mark.size());
  text.erase(std::remove(text.begin(), text.end(), '\0'), text.end());
  return text;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Format of_json(std::string_view text) {
  if (has(text, "\"sysstat\"")) return Format::kSadfJson;
  for (const std::string_view key : {"\"metric\"", "\"resultType\"", "\"status\""})
    if (has(text, key)) return Format::kPrometheusJson;
  return Format::kOther;
}

/// Its time, and numbers only.
bool is_row_of_perfmon(std::string_view line) {
  const std::size_t close = line.starts_with('"') ? line.find('"', 1) : std::string_view::npos;
  return close != std::string_view::npos && line.size() > close + 2 && is_of_pdh(line.substr(1, close - 1)) &&
         line.find_first_not_of("0123456789./: \",;\te+-") == std::string_view::npos;
}

/// What stands behind the number in MemTotal's row, if it is not kB; "" where nothing does.
std::optional<std::string> other_unit_of_meminfo(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = trimmed(take_line(text));
    if (!line.starts_with("MemTotal:")) continue;
    const std::string_view value = trimmed(line.substr(line.find(':') + 1));
    const std::size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
    const std::string_view unit = trimmed(value.substr(digits));
    return digits == 0 || same_word(unit, "kB") || unit.size() > 5 ? std::nullopt : std::optional(std::string(unit));
  }
  return std::nullopt;
}

/// Rows of poolmon whose numbers have letters.
bool has_hexadecimal_rows(std::string_view text) {
  constexpr int kProof = 3;
  if (!has(text, "Allocs") || !has(text, "Frees")) return false;
  int rows = 0;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    std::size_t at = line.find(" Nonp");
    if (at == std::string_view::npos) at = line.find(" Paged");
    if (at == std::string_view::npos) continue;
    std::string_view rest = trimmed(line.substr(at));
    rest.remove_prefix(std::min(rest.find_first_of(" \t"), rest.size()));
    bool is_hexadecimal = false;
    for (int cells = 0; cells < 5 && !(rest = trimmed(rest)).empty(); ++cells) {
      const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
      const bool is_number = word.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
      if (!is_number) break;
      is_hexadecimal |= word.find_first_of("abcdefABCDEF") != std::string_view::npos;
      rest.remove_prefix(word.size());
    }
    rows += is_hexadecimal ? 1 : 0;
  }
  return rows >= kProof;
}

/// "Time,Leak,CM31,Irp"
bool is_column_a_tag(std::string_view header) {
  for (const char separator : kSeparators) {
    CsvFields fields(separator);
    if (fields.split(header) != nullptr || fields.size() < 3) continue;
    bool are_tags = true;
    for (std::size_t i = 1; i < fields.size(); ++i) {
      const std::string_view name = trimmed(fields[i]);
      are_tags =
          are_tags && !name.empty() && name.size() <= 4 && name.find_first_not_of("0123456789.") != std::string_view::npos;
    }
    const std::string_view time = trimmed(fields[0]);
    if (are_tags &&
        (same_word(time, "Time") || same_word(time, "DateTime") || same_word(time, "Date") || same_word(time, "Timestamp")))
      return true;
  }
  return false;
}

/// A table of a page whose rows do not stand one a line.
bool is_page_of_other_lines(std::string_view text) {
  std::size_t lone_cells = 0;
  while (!text.empty()) {
    const std::string_view line = trimmed(take_line(text));
    const std::size_t row = line.find("<tr");
    if (row != std::string_view::npos && line.find("<tr", row + 1) != std::string_view::npos) return true;
    const bool is_cell = line.starts_with("<td") || line.starts_with("<th");
    lone_cells = is_cell && line.find("<t", 1) == std::string_view::npos ? lone_cells + 1 : 0;
    if (lone_cells >= 3) return true;
  }
  return false;
}

/// "web01;600;2026-11-05 00:10:01 UTC;..."
bool is_row_of_sadf(std::string_view line) {
  CsvFields fields(';');
  return fields.split(line) == nullptr && fields.size() >= 4 &&
         fields[1].find_first_not_of("-0123456789") == std::string::npos && !fields[1].empty() &&
         (parse_timestamp(trimmed(fields[2])).ok() || trimmed(fields[2]).ends_with(" UTC"));
}

/// A time, and more behind commas.
bool is_row_of_csv(std::string_view line) {
  for (const char separator : kSeparators) {
    CsvFields fields(separator);
    if (fields.split(line) == nullptr && fields.size() >= 3 && parse_timestamp(trimmed(fields[0])).ok()) return true;
  }
  return false;
}

constexpr std::string_view kOfSadf = "# hostname;interval;timestamp;";
constexpr std::string_view kOfEvents = "Process Name ( PID)";

/// What another tool prints of the kernel's memory, which has no history in it; nullptr: nothing that is known.
const char* look_of_tool(std::string_view text) {
  struct Tool {
    std::string_view one, other;
    const char* look;
  };
  constexpr Tool kTools[] = {
      {"OBJSIZE", "SSIZE",
       "looks like crash's kmem -s, which has no time and is of one moment; record on the running system: while date; do cat "
       "/proc/slabinfo; sleep 3600; done >> FILE"},
      {"Slabs/Part/Cpu", "Objsize",
       "looks like the kernel's slabinfo tool, whose sizes are rounded; record: while date; do cat /proc/slabinfo; sleep 3600; "
       "done >> FILE"},
      {"unreferenced object 0x", "backtrace",
       "looks like kmemleak's report, which lists single objects and no amounts over time; record: while date; do cat "
       "/proc/slabinfo /proc/meminfo; sleep 3600; done >> FILE"},
      {kOfEvents, "",
       "looks like xperf's or wpaexporter's events, which are single allocations; record what is in use: poolmon -n FILE, or "
       "kmem_exporter record"},
      {"Handle type summary:", "",
       "looks like handle -s, which has no pools; record handles by: Get-Process with a column DateTime, | Export-Csv FILE"},
      {"Usage\",\"Total\",\"Active\"", "",
       "looks like RAMMap's CSV, which has no time and no pool tags; record: poolmon -n FILE, or kmem_exporter record"},
      {"Usage,Total,Active,Standby", "",
       "looks like RAMMap's CSV, which has no time and no pool tags; record: poolmon -n FILE, or kmem_exporter record"},
  };
  for (const Tool& tool : kTools)
    if (has(text, tool.one) && has(text, tool.other)) return tool.look;
  return nullptr;
}

/// Linux's tables whose cells stand between bars or in a page's rows.
const char* look_of_cells(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const std::string_view line = trimmed(take_line(text));
    if (!line.starts_with('|') && !line.starts_with("<tr")) continue;
    const std::string_view cells = trimmed(without_markup(line, plain));
    if (begins_table(cells) != LinuxTable::kNone || cells.starts_with("slabinfo - version") || has(cells, "active_objs"))
      return "looks like tables of Linux with their cells between bars or in rows of HTML; write the lines as the program prints them";
  }
  return nullptr;
}

/// A heading behind something that no rule takes off its line: where, and what it is.
std::optional<std::string> look_of_hidden_heading(std::string_view text) {
  if (has(text, "Allocs") || has(text, "Debug session time") || has(text, "!SystemTime=")) return std::nullopt;
  constexpr std::string_view kHeadings[] = {"slabinfo - version",   "# name            <active_objs>",
                                            "allocinfo - version",  "MemTotal:",
                                            "# hostname;interval;", "OBJS ACTIVE",
                                            "{__name__=",           "(PDH-CSV 4.0)"};
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    const std::string_view rest = text;
    const std::string_view line = take_line(text);
    if (rest.substr(line.size()).starts_with("\r\n")) text.remove_prefix(1);
    for (const std::string_view heading : kHeadings) {
      const std::size_t at = line.find(heading);
      if (at == 0 || at == std::string_view::npos || line.substr(0, at).find_first_not_of(" \t\"#(") == std::string_view::npos)
        continue;
      return "line " + std::to_string(number) + ": " + in_quotes(line.substr(0, at)) + " stands before " + in_quotes(heading) +
             "; take away what stands before each line";
    }
  }
  return std::nullopt;
}

/// A script's heading of which some column is not known, or lacks: what.
std::optional<std::string> look_of_script(std::string_view header) {
  constexpr std::string_view kMarks = ",;\t|";
  for (const char mark : kMarks) {
    CsvFields fields(mark);
    if (header.find(mark) == std::string_view::npos || fields.split(header) != nullptr || fields.size() < 3) continue;
    const Places at = places_of(fields);
    const bool is_of_counters = at[kPath] != kNowhere;
    if (at[kTag] == kNowhere && !is_of_counters) continue;
    const std::string what = is_of_counters ? "looks like CSV of counters, " : "looks like CSV of pool tags, ";
    std::string with_commas(header);
    std::replace(with_commas.begin(), with_commas.end(), mark, ',');
    if (mark == '|' && (kind_of(at) || has_all_columns(with_commas)))
      return what + "but its columns are parted by \"|\"; part them by commas";
    std::string unknown;
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (!column_of(fields[i]) && !trimmed(fields[i]).empty())
        unknown += (unknown.empty() ? "" : ", ") + in_quotes(trimmed(fields[i]));
    if (!unknown.empty()) unknown.insert(0, "; not understood: ");
    if (is_of_counters)
      return at[kValue] != kNowhere ? std::nullopt : std::optional(what + "but without a column CookedValue" + unknown);
    if (kind_of(at)) return what + "but without a column of times; name it DateTime" + unknown;
    return what + "but no column tells the bytes of a pool" + unknown +
           "; the names are PagedUsedBytes and NonPagedUsedBytes, or Type and Bytes, with KB, MB or GB for Bytes";
  }
  return std::nullopt;
}

/// Of rows whose first line is none of them: what it lacks; nullptr: they are something else.
const char* look_of_cut_header(std::string_view text) {
  std::string_view lines[3];
  for (std::string_view& line : lines)
    while (!text.empty() && line.empty()) line = trimmed(take_line(text));
  const auto& [header, row, next] = lines;
  const bool is_list =
      header.find_first_of(kSeparators) != std::string_view::npos || is_row_of_csv(next) || is_row_of_perfmon(next);
  if (header.empty() || is_row_of_csv(header) || !is_list) return nullptr;
  if (is_row_of_perfmon(row) && !is_row_of_perfmon(header) && !has(header, "(PDH-"))
    return "looks like rows of perfmon's CSV below a header row that is cut; it begins with \"(PDH-CSV 4.0)";
  if (is_row_of_csv(row) && !csv_separator(header))
    return "looks like rows of CSV below a header row that is cut or names nothing that is known; it needs timestamp, pool, tag and "
           "bytes, or DateTime, Tag, PagedUsedBytes and NonPagedUsedBytes, or the like";
  return nullptr;
}

}  // namespace

bool are_events(std::string_view text) { return has(text, kOfEvents); }

bool begins_prometheus_lines(std::string_view line, bool is_first) {
  return line.starts_with("# HELP ") || line.starts_with("# TYPE ") ||
         (is_first && (is_sample_line(line) || begins_query_series(line)));
}

bool begins_sar(std::string_view line, bool) {
  return trimmed(line.substr(std::min(line.find_first_not_of('\f'), line.size()))).starts_with(kOfSadf) ||
         parse_sar_heading(line) || (has(line, "kbmemfree") && has(line, "kbmemused") && !has(line, kOfSadf));
}

bool begins_script_csv(std::string_view line, bool is_first) { return is_first && script_csv_kind(line); }

bool begins_linux(std::string_view line, bool) { return begins_table(line) != LinuxTable::kNone; }

std::string_view format_name(Format format) {
  if (const LineFormat* const row = line_format(format)) return row->name;
  return format == Format::kSadfJson ? "sadf -j" : format == Format::kPrometheusJson ? "Prometheus' answer in JSON" : "";
}

Format recognise(std::string_view head) {
  const std::string text = plain(head);
  std::string_view rest = text;
  std::string written;
  bool is_first = true;
  while (!rest.empty()) {
    const std::string_view line = trimmed(as_written(take_line(rest), written));
    if (line.empty() || line.starts_with("#TYPE ") || names_separator(line) || line == "#TYPE") continue;
    const bool first = std::exchange(is_first, false);
    if (first && has(line, "(PDH-")) return Format::kOther;
    for (const LineFormat& row : kLineFormats)
      if (row.begins(line, first)) return row.format;
    if (first && (line.front() == '{' || line.front() == '[')) return of_json(text);
    // What curl tells of its way, or of the answer, above it.
    if (!first && (line.starts_with("{\"status\"") || line.starts_with("{\"sysstat\""))) return of_json(line);
    if (first && has_all_columns(line)) return Format::kOther;
    // poolmon's and memsnap's own.
    if (line.starts_with("!LogType") || line.starts_with("!SystemTime") || (has(line, "Allocs") && has(line, "Frees")))
      return Format::kOther;
  }
  return Format::kOther;
}

std::string_view begins_other(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (text.empty()) return {};
  if (has(text, "(PDH-")) return "CSV of perfmon";
  if (script_csv_kind(text)) return "CSV of a script";
  if (has_all_columns(text)) return "CSV";
  if (begins_table(text) != LinuxTable::kNone) return "a table of Linux";
  if ((has(text, "Allocs") && has(text, "Frees")) || parse_poolused_header(text, {}) || parse_process_header(text))
    return "a table of Windows' pools";
  if (begins_sar(text, false)) return "a table of sar";
  if (text.starts_with("# HELP ") || text.starts_with("# TYPE ") || is_sample_line(text) || begins_query_series(text))
    return "samples of Prometheus";
  if (text.starts_with("{\"") || text.starts_with("\"sysstat\":")) return "JSON";
  return {};
}

bool is_table_of_csv(std::string_view what) { return what.starts_with("CSV"); }

std::string other_begins(std::string_view what) {
  return std::string(what) + (what.ends_with("s of Prometheus") ? " begin" : " begins") +
         " here, and this file began as something else; put it into a file of its own";
}

/// A date in brackets is none.
bool looks_like_json(std::string_view text) {
  if (!text.starts_with('{') && !text.starts_with('[')) return false;
  const std::size_t next = text.find_first_not_of(" \t\r\n", 1);
  return next != std::string_view::npos && std::string_view("{[]}\"").find(text[next]) != std::string_view::npos;
}

std::optional<std::string> unusable_look(std::string_view head) {
  constexpr std::pair<std::string_view, std::string_view> kMagics[] = {
      {"\x96\xd5", "looks like sysstat's own file; write it as text: sadf -d FILE -- -r ALL"},
      {"\xd5\x96", "looks like sysstat's own file of another machine; write it there as text: sadf -d FILE -- -r ALL"},
      {"ElfFile", "looks like a Windows event log, which has no pool usage"},
      {"PAGEDU64", "looks like a kernel dump; open it in a debugger and log the output of !vm and !poolused"},
      {"PAGEDUMP", "looks like a kernel dump; open it in a debugger and log the output of !vm and !poolused"},
      {"MDMP", "looks like a process dump, which has no pool usage"},
  };
  for (const auto& [magic, look] : kMagics)
    if (head.starts_with(magic)) return std::string(look);
  const std::string text = plain(head);
  const std::string_view start = trimmed(text);
  if (start.starts_with("<?xml") && has(text, "sysstat")) return "looks like sadf -x; write it as JSON: sadf -j FILE -- -r ALL";
  if (looks_like_json(start))
    return std::string("looks like JSON, but neither of Prometheus' query API nor of sadf -j") +
           (has(text, "\"bytes\"") || has(text, "Bytes\"") ? "; write its rows as CSV: ... | Export-Csv FILE" : "");
  if (const char* const tool = look_of_tool(text)) return tool;
  if (const char* const cells = look_of_cells(text)) return cells;
  if (auto hidden = look_of_hidden_heading(text)) return hidden;
  if (has(text, "kbmemfree") && has(text, "\t-\t")) return "looks like sadf -p; write it as rows: sadf -d FILE -- -r ALL";
  if (has(text, "(PDH-CSV") || has(text, "(PDH-TSV"))
    return "looks like perfmon's CSV with something else above its header row; take away what stands above (PDH-CSV 4.0)";
  if (is_row_of_perfmon(start.substr(0, start.find_first_of("\r\n"))))
    return "looks like rows of perfmon's CSV without the header row (PDH-CSV 4.0), which names the counters";
  if (has(text, ": tunables") && has(text, ": slabdata"))
    return "looks like rows of /proc/slabinfo without its heading; keep its first two lines: cat /proc/slabinfo";
  if (const auto unit = other_unit_of_meminfo(text))
    return "looks like /proc/meminfo, but its values are " + (unit->empty() ? "without a unit" : "of " + in_quotes(*unit)) +
           ", where the kernel writes kB; keep its lines as they are: cat /proc/meminfo";
  if (is_page_of_other_lines(text))
    return "looks like a table of HTML whose rows do not stand one a line, each with its cells; write it as CSV, or put each "
           "<tr> with its cells into a line of its own";
  if (is_row_of_sadf(start.substr(0, start.find_first_of("\r\n"))))
    return "looks like rows of sadf -d without the heading that begins with #; keep it: sadf -d FILE -- -r ALL";
  if (has(text, " func:"))
    return "looks like rows of /proc/allocinfo without its heading, or sorted by a tool; keep its lines as they are: cat /proc/allocinfo";
  if (has_hexadecimal_rows(text)) return "looks like poolmon's table with hexadecimal numbers; write them as decimals";
  const std::string_view first = trimmed(start.substr(0, start.find_first_of("\r\n")));
  if (auto script = look_of_script(first)) return script;
  if (is_column_a_tag(first))
    return "looks like CSV with a column for each tag, which does not tell paged from nonpaged; write a row for each: "
           "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes";
  if (first.starts_with("\"Time\"") || first.starts_with("Time,") || first.starts_with("Time;"))
    return "looks like the CSV of a panel of Grafana, whose columns have legends' names; ask Prometheus itself: analyze "
           "--prometheus.url=http://HOST:9090";
  if (std::string columns(first); columns.find_first_of(",;") == std::string::npos) {
    std::replace(columns.begin(), columns.end(), ' ', ',');
    if (has_script_times(columns))
      return "looks like what PowerShell shows on the screen; write it as CSV: ... | Export-Csv FILE";
  }
  if (const char* const cut = look_of_cut_header(start)) return cut;
  if (is_row_of_csv(start.substr(0, start.find_first_of("\r\n"))))
    return "looks like rows of CSV without the header row that names the columns; timestamp, pool, tag and bytes are needed";
  if (has(text, "CounterSamples"))
    return "looks like what Get-Counter shows on the screen; write it as CSV: Get-Counter ... | Select-Object -ExpandProperty "
           "CounterSamples | Export-Csv FILE";
  if (has(text, "\nMem:") && has(text, "buff"))
    return "looks like free, which does not tell the kernel's memory apart; record: while date; do cat /proc/meminfo "
           "/proc/slabinfo; sleep 3600; done >> FILE";
  if (has(text, "swpd") && has(text, "free") && has(text, "buff"))
    return "looks like vmstat without caches; record: while date; do vmstat -m; sleep 3600; done >> FILE";
  return std::nullopt;
}

}  // namespace kmem::history
