// STAGE 6 in the agent: what the monitor knows -> what the page and the JSON API show. Gathered with the monitor held
// (page_view.h), which is quick; drivers are named and rows chosen outside of it.
// Thread: any, several at once. Failure: a kernel that gives nothing is View::error.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "collectors/drivers/attribution.h"
#include "exporter/agent/keeper.h"
#include "exporter/agent/monitor.h"
#include "exporter/page/query.h"
#include "exporter/page/view.h"

namespace kmem {

class Gatherer {
 public:
  /// All three outlive this.
  Gatherer(Monitor& monitor, const Keeper& keeper, const drivers::Attribution& attribution)
      : monitor_(monitor), keeper_(keeper), attribution_(attribution) {}

  /// Everything but tags.
  [[nodiscard]] page::View status() const;
  /// With the tags that `query` wants, and the subject whose chart it asks for.
  [[nodiscard]] page::View tags(const page::TagQuery& query) const;
  struct Trends {
    page::View view;
    std::vector<page::Subject> subjects;  // the wanted ones of `matched`, worst first
    std::size_t matched = 0;
  };
  [[nodiscard]] Trends trends(const page::TagQuery& query) const;
  /// View::chosen is the subject of that address (find_subject), if there is one.
  [[nodiscard]] page::View trend(std::string_view path) const;

 private:
  /// False: there is an error.
  bool gather(Monitor::Hold& hold, page::View& view) const;
  void name_drivers(page::Subject& subject) const;
  void name_drivers(std::vector<page::Subject>& subjects) const;

  Monitor& monitor_;
  const Keeper& keeper_;
  const drivers::Attribution& attribution_;
};

}  // namespace kmem
