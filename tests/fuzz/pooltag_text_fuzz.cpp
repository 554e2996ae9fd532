// links: kmem_drivers
// Any text as pooltag.txt, and any tag asked of it: every line is a row, a remark or skipped; what is told of a tag
// lies in the text, and as a candidate it is bounded and harmless.
#include "collectors/drivers/pooltag_text.h"

#include <algorithm>
#include <cstdlib>

#include "collectors/base/label_text.h"
#include "collectors/drivers/attribution.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem;
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto parsed = std::make_shared<const drivers::PoolTagText>(text);
  require(parsed->size() + parsed->skipped() <= static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
  drivers::Attribution known;
  known.use(parsed);
  std::size_t found = 0;
  for (std::size_t at = 0; at + 4 <= text.size() && at < 4096; ++at) {
    const std::string_view tag = std::string_view(text).substr(at, 4);
    found += parsed->find(tag).size();
    const auto candidates = known.candidates(Pool::kPaged, tag);
    require(candidates.size() <= drivers::kMaxCandidates);
    for (const drivers::Candidate& one : candidates)
      require(base::label_text(one.driver).size() >= one.driver.size() && one.driver.size() <= 4 * 128 &&
              one.description.size() <= 4 * 128);
  }
  require(parsed->size() > 0 || found == 0);
  return 0;
}
