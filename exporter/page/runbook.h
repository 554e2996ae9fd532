// STAGE 6, the page: a runbook's Markdown -> a page with the alert's tag and pool filled in and a way back. Pure.
// Knows headings, paragraphs, lists, tables, code and bold: what the runbooks use; anything else stays as text.
// A tag with signs of its own stands in quotes in commands; where it would act in these, too, the command says TAG, as the file does.
#pragma once

#include <string>
#include <string_view>

#include "exporter/page/files.h"

namespace kmem::page {

struct RunbookSubject {
  std::string pool, tag;
};

/// `query`: pool=...&tag=...; what is not printable is left out.
[[nodiscard]] RunbookSubject runbook_subject(std::string_view query);
[[nodiscard]] std::string runbook_html(const File& runbook, const RunbookSubject& subject);

}  // namespace kmem::page
