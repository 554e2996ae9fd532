// STAGE 6, inside the page: its sections, in the order of the page. Each appends whole elements. Pure.
#pragma once

#include "exporter/page/html.h"
#include "exporter/page/query.h"
#include "exporter/page/verdict.h"
#include "exporter/page/view.h"

namespace kmem::page {

void add_verdict(Html& html, const View& view, const Verdict& verdict);
void add_findings(Html& html, const View& view);
void add_resources(Html& html, const View& view);
void add_suspects(Html& html, const View& view);
void add_tags(Html& html, const View& view, const TagQuery& query);
void add_processes(Html& html, const View& view);
void add_collectors(Html& html, const View& view);
void add_links(Html& html, const View& view);

}  // namespace kmem::page
