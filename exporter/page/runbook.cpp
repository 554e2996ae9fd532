#include "exporter/page/runbook.h"

#include <algorithm>
#include <vector>

#include "collectors/base/query_text.h"
#include "exporter/page/html.h"
#include "exporter/page/query.h"

namespace kmem::page {
namespace {

constexpr std::size_t kLongestWord = 64;
constexpr std::string_view kBareInCommands = "_-.:/+", kActInQuotes = "\"$`\\!%";

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

bool is_printable(std::string_view text) {
  return !text.empty() && text.size() <= kLongestWord &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// As a word of a command, in every shell: quoted where need be; `otherwise` where quotes do not hold it. A kernel's tag may end
/// with a blank.
std::string in_a_command(std::string_view text, std::string_view otherwise) {
  if (text.empty() || text.front() == '-' || text.find_first_of(kActInQuotes) != std::string_view::npos)
    return std::string(otherwise);
  const bool bare = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || kBareInCommands.find(c) != std::string_view::npos;
  });
  return bare ? std::string(text) : '"' + std::string(text) + '"';
}

/// The file's words TAG and POOL -> what the alert named.
std::string filled_in(std::string_view code, const RunbookSubject& subject) {
  std::string out;
  for (std::size_t i = 0; i < code.size();) {
    std::size_t end = i;
    while (end < code.size() && is_letter_or_digit(code[end])) ++end;
    const std::string_view word = code.substr(i, end - i);
    if (word == "TAG") out += in_a_command(subject.tag, word);
    else if (word == "POOL") out += in_a_command(subject.pool, word);
    else out += word;
    if (end < code.size()) out += code[end++];
    i = end;
  }
  return out;
}

/// `code`, **bold**, *emphasis* and text.
void add_inline(Html& html, std::string_view text, const RunbookSubject& subject) {
  bool bold = false;
  while (!text.empty()) {
    const std::size_t code = text.find('`'), star = text.find('*');
    const std::size_t next = std::min(code, star);
    html.text(text.substr(0, next));
    if (next == std::string_view::npos) break;
    if (star < code && !text.substr(star).starts_with("**")) {
      const std::size_t close = text.find('*', star + 1);
      if (close == std::string_view::npos) {
        html.raw("*");
        text.remove_prefix(star + 1);
        continue;
      }
      html.raw("<em>").text(text.substr(star + 1, close - star - 1)).raw("</em>");
      text.remove_prefix(close + 1);
      continue;
    }
    if (star < code) {
      html.raw(bold ? "</strong>" : "<strong>");
      bold = !bold;
      text.remove_prefix(next + 2);
      continue;
    }
    const std::size_t end = text.find('`', next + 1);
    if (end == std::string_view::npos) {
      html.text(text.substr(next));
      break;
    }
    html.raw("<code>").text(filled_in(text.substr(next + 1, end - next - 1), subject)).raw("</code>");
    text.remove_prefix(end + 1);
  }
  if (bold) html.raw("</strong>");
}

std::size_t list_mark(std::string_view line, bool& numbered) {
  numbered = false;
  if (line.starts_with("- ")) return 2;
  std::size_t digits = 0;
  while (digits < line.size() && line[digits] >= '0' && line[digits] <= '9') ++digits;
  if (digits == 0 || line.substr(digits, 2) != ". ") return 0;
  numbered = true;
  return digits + 2;
}

/// Writes block after block; lines that belong together are joined.
class Blocks {
 public:
  Blocks(Html& html, const RunbookSubject& subject) : html_(html), subject_(subject) {}

  void add(std::string_view line) {
    bool numbered = false;
    if (line.starts_with("```")) {
      end();
      html_.raw(code_ ? "</code></pre>\n" : "<pre><code>");
      code_ = !code_;
    } else if (code_) {
      html_.text(filled_in(line, subject_)).raw("\n");
    } else if (line.empty()) {
      end();
    } else if (line.starts_with("# ") || line.starts_with("## ")) {
      end();
      const std::size_t level = line.find(' ');
      html_.raw(level == 1 ? "<h1>" : "<h2>");
      add_inline(html_, line.substr(level + 1), subject_);
      html_.raw(level == 1 ? "</h1>\n" : "</h2>\n");
    } else if (line.starts_with("|")) {
      add_row(line);
    } else if (const std::size_t mark = list_mark(line, numbered); mark > 0) {
      flush();
      open(numbered ? "ol" : "ul");
      text_ = line.substr(mark);
    } else {
      const std::size_t from = std::min(line.find_first_not_of(' '), line.size());
      if (!text_.empty()) text_ += ' ';
      text_ += line.substr(from);
    }
  }

  void end() {
    flush();
    open("");
  }

 private:
  void open(std::string_view kind) {
    if (kind == list_) return;
    if (!list_.empty()) html_.raw("</").raw(list_).raw(list_ == "table" ? "></div>\n" : ">\n");
    list_ = kind;
    if (list_ == "table") html_.raw("<div class=\"scroll\"><table>\n");
    else if (!list_.empty()) html_.raw("<").raw(list_).raw(">\n");
    rows_ = 0;
  }

  void flush() {
    if (text_.empty()) return;
    html_.raw(list_.empty() ? "<p>" : "<li>");
    add_inline(html_, text_, subject_);
    html_.raw(list_.empty() ? "</p>\n" : "</li>\n");
    text_.clear();
  }

  void add_row(std::string_view line) {
    flush();
    open("table");
    if (line.find_first_not_of("|-: ") == std::string_view::npos) return;
    const bool head = rows_++ == 0;
    html_.raw("<tr>");
    line.remove_prefix(1);
    while (!line.empty()) {
      const std::size_t bar = std::min(line.find('|'), line.size());
      std::string_view cell = line.substr(0, bar);
      while (cell.starts_with(' ')) cell.remove_prefix(1);
      while (cell.ends_with(' ')) cell.remove_suffix(1);
      html_.raw(head ? "<th scope=\"col\">" : "<td>");
      add_inline(html_, cell, subject_);
      html_.raw(head ? "</th>" : "</td>");
      line.remove_prefix(std::min(bar + 1, line.size()));
    }
    html_.raw("</tr>\n");
  }

  Html& html_;
  const RunbookSubject& subject_;
  std::string text_;
  std::string_view list_;
  std::size_t rows_ = 0;
  bool code_ = false;
};

}  // namespace

RunbookSubject runbook_subject(std::string_view query) {
  RunbookSubject subject;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string value = base::percent_decoded(pair.substr(equals + 1));
    if (!is_printable(value)) continue;
    if (pair.substr(0, equals) == "tag") subject.tag = value;
    if (pair.substr(0, equals) == "pool") subject.pool = value;
  }
  return subject;
}

std::string runbook_html(const File& runbook, const RunbookSubject& subject) {
  Html html;
  html.raw(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
  html.text(runbook.name)
      .raw(
          " – kmem_exporter</title>\n"
          "<link rel=\"icon\" type=\"image/svg+xml\" href=\"../assets/icon.svg\">\n"
          "<link rel=\"stylesheet\" href=\"../assets/page.css\">\n</head>\n<body>\n"
          "<nav class=\"top\" aria-label=\"Way back\"><p><a href=\"../\">This host</a></p></nav>\n<main id=\"main\">\n");
  if (!subject.tag.empty() || !subject.pool.empty()) {
    html.raw("<p class=\"quiet\">For ");
    if (!subject.tag.empty())
      html.raw("tag <strong>").text(subject.tag).raw("</strong>").raw(subject.pool.empty() ? "" : " of ");
    if (!subject.pool.empty()) html.raw("pool <strong>").text(subject.pool).raw("</strong>");
    html.raw(".");
    if (!subject.tag.empty() && !subject.pool.empty())
      html.raw(" <a href=\"../?chart=").text(percent_encoded(subject.pool + "/" + subject.tag)).raw("\">Its chart</a>.");
    html.raw("</p>\n");
  }
  Blocks blocks(html, subject);
  std::string_view rest = runbook.bytes;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    blocks.add(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  blocks.end();
  html.raw("</main>\n<footer><p>As text: <a href=\"")
      .text(runbook.name)
      .raw(".md\">")
      .text(runbook.name)
      .raw(
          ".md</a></p></footer>\n"
          "</body>\n</html>\n");
  return html.take();
}

}  // namespace kmem::page
