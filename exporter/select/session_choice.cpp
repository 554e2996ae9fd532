#include "exporter/select/session_choice.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

namespace kmem::select {
namespace {

constexpr std::array kPools = {Pool::kPaged, Pool::kNonpaged};

using Rows = std::span<const SessionTagUsage>;

/// Rows of a session lie together.
std::map<std::uint32_t, Rows> by_session(Rows tags) {
  std::map<std::uint32_t, Rows> out;
  for (std::size_t at = 0; at < tags.size();) {
    std::size_t end = at;
    while (end < tags.size() && tags[end].session == tags[at].session) ++end;
    out.try_emplace(tags[at].session, tags.subspan(at, end - at));
    at = end;
  }
  return out;
}

const TagUsage* find(Rows rows, Pool pool, const std::string& tag) {
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const SessionTagUsage& row) { return row.usage.pool == pool && row.usage.tag == tag; });
  return found == rows.end() ? nullptr : &found->usage;
}

template <typename Id>
std::uint32_t member_index(const StickyTop<Id>& top, const Id& id) {
  const auto& members = top.members();
  const auto found = std::find_if(members.begin(), members.end(), [&](const auto& one) { return one.id == id; });
  return found == members.end() ? FlatIndex::kNone : static_cast<std::uint32_t>(found - members.begin());
}

void update_tags(StickyTop<std::string>& top, std::size_t count, Rows rows, Pool pool, base::UnixMillis now) {
  TopRanks ranks;
  ranks.reset(2 * count);
  for (std::uint32_t i = 0; i < rows.size(); ++i)
    if (rows[i].usage.pool == pool) ranks.offer(rows[i].usage.bytes, rows[i].usage.key, i);
  std::vector<StickyTop<std::string>::Candidate> candidates;
  for (const TopRanks::Entry& entry : ranks.ranked()) {
    const std::string& tag = rows[entry.item].usage.tag;
    candidates.push_back({tag, static_cast<std::uint32_t>(candidates.size()), member_index(top, tag)});
  }
  // A tag that is gone for a moment reads 0, as any exported tag does.
  top.update(std::move(candidates), std::vector<bool>(top.members().size(), true), now);
}

}  // namespace

void SessionChoice::update(const std::vector<SessionTagUsage>& tags, base::UnixMillis now) {
  if (tags.empty() || top_ == 0) return;
  const std::map<std::uint32_t, Rows> sessions = by_session(tags);

  TopRanks ranks;
  ranks.reset(2 * top_sessions_);
  for (const auto& [session, rows] : sessions) {
    std::uint64_t bytes = 0;
    for (const SessionTagUsage& row : rows) bytes += row.usage.bytes;
    ranks.offer(bytes, session, session);
  }
  std::vector<StickyTop<std::uint32_t>::Candidate> candidates;
  for (const TopRanks::Entry& entry : ranks.ranked())
    candidates.push_back({entry.item, static_cast<std::uint32_t>(candidates.size()), member_index(sessions_, entry.item)});
  std::vector<bool> present;
  for (const auto& member : sessions_.members()) present.push_back(sessions.contains(member.id));
  sessions_.update(std::move(candidates), present, now);

  std::vector<SessionTop> next;
  for (const auto& member : sessions_.members()) {
    for (const Pool pool : kPools) {
      const auto old = std::find_if(tops_.begin(), tops_.end(),
                                    [&](const SessionTop& top) { return top.session == member.id && top.pool == pool; });
      next.push_back(old == tops_.end() ? SessionTop{member.id, pool, {top_, 2 * top_}} : std::move(*old));
      update_tags(next.back().tags, top_, sessions.at(member.id), pool, now);
    }
  }
  tops_ = std::move(next);
}

void SessionChoice::fill(const std::vector<SessionTagUsage>& tags, std::vector<SessionPool>& pools,
                         std::vector<SessionMember>& members) const {
  pools.clear();
  members.clear();
  if (tops_.empty()) return;
  const std::map<std::uint32_t, Rows> sessions = by_session(tags);
  for (const SessionTop& top : tops_) {
    const auto session = sessions.find(top.session);
    if (session == sessions.end()) continue;
    SessionPool pool{top.session, top.pool, 0};
    for (const SessionTagUsage& row : session->second)
      if (row.usage.pool == top.pool) pool.bytes += row.usage.bytes;
    pools.push_back(pool);
    for (const auto& member : top.tags.members()) {
      const TagUsage* const usage = find(session->second, top.pool, member.id);
      members.push_back(
          {top.session, top.pool, member.id, usage == nullptr ? 0 : usage->bytes, usage == nullptr ? 0 : usage->outstanding});
    }
  }
}

}  // namespace kmem::select
