#include "collectors/drivers/attribution.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/drivers/builtin_tags.h"
#include "collectors/drivers/image_tags.h"
#include "collectors/drivers/kernel_modules.h"
#include "collectors/drivers/leak_signatures.h"
#include "collectors/drivers/pooltag_text.h"

namespace kmem::drivers {
namespace {

constexpr std::string_view kFromText = "pooltag.txt";
constexpr std::string_view kFromScan = "image_scan";
constexpr std::string_view kFromTable = "builtin";
constexpr std::string_view kFromModules = "modules";
constexpr std::size_t kMaxShownDrivers = 4;
constexpr std::size_t kMaxTextBytes = 128;  // of one name or description, which become label values

std::string shown(std::string_view text) { return base::label_text(text.substr(0, kMaxTextBytes)); }

/// What one driver's names have in common: "nt!mm" and "ntoskrnl.exe", "NTFS.SYS" and "ntfs.sys".
std::string canonical(std::string_view driver) {
  std::string name(driver.substr(0, driver.find('!')));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string_view suffix : {".sys", ".exe", ".dll"})
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  if (name == "nt" || name == "ntkrnlmp" || name == "ntkrnlpa" || name == "ntkrpamp") name = "ntoskrnl";
  return name;
}

class Answer {
 public:
  void add(std::string_view driver, std::string_view description, std::string_view source) {
    if (list_.size() == kMaxCandidates) return;
    const std::string name = canonical(driver);
    for (Candidate& known : list_) {
      if (canonical(known.driver) != name) continue;
      if (known.description.empty()) known.description = shown(description);
      return;
    }
    list_.push_back({shown(driver), shown(description), std::string(source)});
  }
  [[nodiscard]] bool names_a_driver() const {
    return std::any_of(list_.begin(), list_.end(), [](const Candidate& one) { return !one.driver.empty(); });
  }
  std::vector<Candidate> take() && { return std::move(list_); }

 private:
  std::vector<Candidate> list_;
};

std::vector<Candidate> of_pool_tag(std::string_view tag, const PoolTagText* text, const ImageTags* images) {
  Answer answer;
  if (text != nullptr)
    for (const PoolTagText::Row& row : text->find(tag)) answer.add(row.driver, row.description, kFromText);
  if (const KnownTag* known = find_known_pool_tag(tag)) answer.add(known->driver, known->description, kFromTable);
  std::uint32_t number = 0;
  if (images == nullptr || !tag_of_text(tag, number)) return std::move(answer).take();
  // Where somebody is known to use the tag, another one has to be seen handing it to a call.
  const Evidence least = answer.names_a_driver() ? Evidence::kArgument : Evidence::kData;
  for (const ImageTags::Holder& holder : images->find(number))
    if (holder.tag.evidence >= least) answer.add(holder.image->name(), {}, kFromScan);
  return std::move(answer).take();
}

std::vector<Candidate> of_cache(std::string_view cache, const KernelModules* modules) {
  Answer answer;
  const KnownTag* known = find_known_slab_cache(cache);
  const std::string_view module = modules == nullptr ? std::string_view() : modules->module_of_cache(cache);
  if (!module.empty()) answer.add(module, known == nullptr ? std::string_view() : known->description, kFromModules);
  // A module that the kernel names leaves nothing open.
  if (known != nullptr && module.empty()) answer.add(known->driver, known->description, kFromTable);
  return std::move(answer).take();
}

std::vector<Candidate> of_module(std::string_view module) {
  Answer answer;
  if (!module.empty()) answer.add(module, {}, kFromModules);
  return std::move(answer).take();
}

std::vector<std::string_view> distinct_drivers(const std::vector<Candidate>& candidates) {
  std::vector<std::string_view> drivers;
  for (const Candidate& one : candidates)
    if (!one.driver.empty() && std::find(drivers.begin(), drivers.end(), one.driver) == drivers.end())
      drivers.push_back(one.driver);
  return drivers;
}

}  // namespace

std::vector<Candidate> Attribution::candidates(Pool pool, std::string_view tag) const {
  const Sources with = sources();
  switch (pool) {
    case Pool::kPaged:
    case Pool::kNonpaged: return of_pool_tag(tag, with.text.get(), with.images.get());
    case Pool::kSlabReclaimable:
    case Pool::kSlabUnreclaimable: return of_cache(tag, with.modules.get());
    case Pool::kVmalloc: return of_module(module_of_symbol(tag));
    case Pool::kAllocinfo: return of_module(module_of_site(tag));
    case Pool::kPercpu: break;
  }
  return {};
}

Attribution::Sources Attribution::sources() const {
  const std::scoped_lock lock(mutex_);
  return sources_;
}

template <typename T>
void Attribution::replace(std::shared_ptr<T> Sources::*which, std::shared_ptr<T> fresh) {
  {
    const std::scoped_lock lock(mutex_);
    (sources_.*which).swap(fresh);
  }
  generation_.fetch_add(1, std::memory_order_acq_rel);
}

void Attribution::use(std::shared_ptr<const PoolTagText> text) { replace(&Sources::text, std::move(text)); }
void Attribution::use(std::shared_ptr<const ImageTags> images) { replace(&Sources::images, std::move(images)); }
void Attribution::use(std::shared_ptr<const KernelModules> modules) { replace(&Sources::modules, std::move(modules)); }

void Attribution::use(std::shared_ptr<const LeakSignatures> signatures) {
  replace(&Sources::signatures, std::move(signatures));
}

std::vector<KnownLeak> Attribution::known_leaks(Pool pool, std::string_view tag) const {
  const Sources with = sources();
  if (with.signatures == nullptr || with.images == nullptr || (pool != Pool::kPaged && pool != Pool::kNonpaged)) return {};
  const std::vector<LeakSignatures::Row> rows = with.signatures->find(tag);
  if (rows.empty()) return {};  // of most tags, at every reading
  const std::vector<ImageFile>& images = with.images->images();
  const bool knows_loaded = std::any_of(images.begin(), images.end(), [](const ImageFile& image) { return image.loaded; });
  std::vector<KnownLeak> found;
  for (const LeakSignatures::Row& row : rows) {
    const std::string driver = canonical(row.driver);
    const auto image = std::find_if(images.begin(), images.end(), [&](const ImageFile& one) {
      return (one.loaded || !knows_loaded) && row.has(one.version) && canonical(one.name()) == driver;
    });
    if (image == images.end() || found.size() == kMaxCandidates) continue;
    found.push_back({pool, std::string(tag), base::label_text(row.driver),
                     image->version == 0 ? std::string() : version_text(image->version), base::label_text(row.words)});
  }
  return found;
}

std::string joined_drivers(const std::vector<Candidate>& candidates) {
  const std::vector<std::string_view> drivers = distinct_drivers(candidates);
  std::string out;
  for (std::size_t i = 0; i < std::min(drivers.size(), kMaxShownDrivers); ++i)
    out.append(i == 0 ? "" : ", ").append(drivers[i]);
  if (drivers.size() > kMaxShownDrivers) out += " and " + std::to_string(drivers.size() - kMaxShownDrivers) + " more";
  return out;
}

std::string_view best_description(const std::vector<Candidate>& candidates) {
  for (const Candidate& one : candidates)
    if (!one.description.empty()) return one.description;
  return {};
}

std::string joined_sources(const std::vector<Candidate>& candidates) {
  std::string out;
  std::vector<std::string_view> named;
  for (const Candidate& one : candidates) {
    if (std::find(named.begin(), named.end(), one.source) != named.end()) continue;
    named.push_back(one.source);
    out.append(out.empty() ? "" : ", ").append(one.source);
  }
  return out;
}

}  // namespace kmem::drivers
