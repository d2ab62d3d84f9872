#include "equipoise/simulate/compare.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "equipoise/simulate/workers.h"

namespace equipoise::simulate {
namespace {

/// What both plans say: places of the first and of the second.
struct Pairs {
  std::vector<std::array<std::size_t, 2>> statements, claims;
};

Pairs pairs_of(study::Study const& one, Campaign const& first, study::Study const& two, Campaign const& second) {
  Pairs pairs;
  for (std::size_t s = 0; s < first.statements().size(); ++s) {
    Statement const& here = first.statements()[s];
    const auto there = std::ranges::find_if(second.statements(), [&](Statement const& other) {
      return other.analysis == here.analysis && other.arm == here.arm && other.against == here.against;
    });
    if (there != second.statements().end()) pairs.statements.push_back({s, std::size_t(there - second.statements().begin())});
  }
  std::vector<protocol::Claim> const &ours = one.protocol.claims, &theirs = two.protocol.claims;
  for (std::size_t c = 0; c < ours.size(); ++c) {
    const auto there = std::ranges::find(theirs, ours[c].id, &protocol::Claim::id);
    if (there != theirs.end()) pairs.claims.push_back({c, std::size_t(there - theirs.begin())});
  }
  return pairs;
}

/// Counts of a yes or no of two plans, and the numbers of their conduct.
struct Counts {
  std::vector<std::array<std::int64_t, 4>> shares;  // neither, only the second, only the first, both
  std::array<std::array<Moments, 3>, 4> means{};    // of each number: first, second, difference

  void merge(Counts const& other) {
    if (shares.size() < other.shares.size()) shares.resize(other.shares.size());
    for (std::size_t i = 0; i < other.shares.size(); ++i)
      for (std::size_t k = 0; k < 4; ++k) shares[i][k] += other.shares[i][k];
    for (std::size_t m = 0; m < means.size(); ++m)
      for (std::size_t k = 0; k < 3; ++k) means[m][k].merge(other.means[m][k]);
  }
};

constexpr std::array<std::string_view, 4> numbers{"randomised", "screened", "accrual_days", "trial_days"};

/// One plan at work.
struct Side {
  Side(study::Study const& study, Campaign const& campaign, Campaign::Member const& member)
      : study_(study),
        campaign_(campaign),
        world_(member.world),
        analyst_(study, member.world.layout(), campaign.statements()),
        wanted_(member.world.wanted(analyst_.reads())) {
    for (analysis::PlannedAnalysis const& planned : study.plan.analyses) limits_.push_back(campaign.limit(planned.id));
    said.resize(campaign.statements().size());
    skip_.resize(limits_.size());
    holds.resize(campaign.claims().size()), unknown.resize(campaign.claims().size());
  }

  void replicate(std::int64_t r) {
    world_.replicate(campaign_.seed(), std::uint64_t(r), workspace_, trial_, {}, &wanted_);
    for (std::size_t a = 0; a < skip_.size(); ++a) skip_[a] = r >= limits_[a];
    analyst_.analyse(trial_, said, skip_);
    campaign_.claims().judge(said, holds, unknown);
  }

  bool was_asked(std::size_t statement) const { return !skip_[campaign_.statements()[statement].planned]; }
  bool was_judged(std::size_t claim) const {
    return std::ranges::all_of(campaign_.claims().reads(claim), [&](std::size_t s) { return was_asked(s); });
  }
  bool rejects(std::size_t statement) const { return said[statement].p <= two_sided_alpha(study_.protocol.conventions); }

  std::array<double, 4> conduct() const {
    return {double(trial_.n), double(trial_.screened), trial_.accrual_end(), trial_.last_day()};
  }

  std::vector<Said> said{};
  std::vector<std::uint8_t> holds{}, unknown{};

 private:
  study::Study const& study_;
  Campaign const& campaign_;
  World const& world_;
  Analyst analyst_;
  World::Wanted wanted_;
  std::vector<std::int64_t> limits_{};  // of each analysis
  std::vector<std::uint8_t> skip_{};
  Workspace workspace_{};
  VirtualTrial trial_{};
};

Counts count_block(Pairs const& pairs, Side& first, Side& second, std::int64_t begin, std::int64_t end) {
  Counts counts{.shares = std::vector<std::array<std::int64_t, 4>>(pairs.statements.size() + pairs.claims.size())};
  for (std::int64_t r = begin; r < end; ++r) {
    first.replicate(r), second.replicate(r);
    std::size_t place = 0;
    for (auto const& [a, b] : pairs.statements) {
      auto& share = counts.shares[place++];
      if (first.was_asked(a) && second.was_asked(b)) ++share[2 * first.rejects(a) + second.rejects(b)];
    }
    for (auto const& [a, b] : pairs.claims) {
      auto& share = counts.shares[place++];
      if (first.was_judged(a) && second.was_judged(b)) ++share[2 * first.holds[a] + second.holds[b]];
    }
    const auto here = first.conduct(), there = second.conduct();
    for (std::size_t m = 0; m < here.size(); ++m) {
      counts.means[m][0].add(here[m]), counts.means[m][1].add(there[m]), counts.means[m][2].add(here[m] - there[m]);
    }
  }
  return counts;
}

results::PairedShare share_of(std::array<std::int64_t, 4> const& counts) {
  const std::int64_t n = counts[0] + counts[1] + counts[2] + counts[3];
  results::PairedShare share;
  share.first = {counts[2] + counts[3], n}, share.second = {counts[1] + counts[3], n};
  if (n == 0) return share;
  const double apart = double(counts[2] - counts[1]) / double(n), discordant = double(counts[1] + counts[2]) / double(n);
  share.difference = {apart, std::sqrt((discordant - apart * apart) / double(n))};
  return share;
}

}  // namespace

results::ScenarioComparison compare(study::Study const& one, Campaign const& first, Campaign::Member const& in_first,
                                    study::Study const& two, Campaign const& second, Campaign::Member const& in_second,
                                    std::size_t threads, std::atomic<bool> const& stop,
                                    std::function<void(std::int64_t done, std::int64_t all)> const& progress) {
  const std::int64_t replicates = std::min(in_first.replicates, in_second.replicates), blocks = blocks_of(replicates);
  const Pairs pairs = pairs_of(one, first, two, second);
  std::vector<Counts> counted(std::size_t(blocks), Counts{});
  std::int64_t done = 0;
  share_out(
      0, blocks, threads, [](std::int64_t) { return false; }, stop,
      [&]() -> Worker {
        auto here = std::make_shared<Side>(one, first, in_first);
        auto there = std::make_shared<Side>(two, second, in_second);
        return [&, here, there](std::int64_t block, std::mutex& door) {
          Counts counts = count_block(pairs, *here, *there, block * block_size, std::min(replicates, (block + 1) * block_size));
          const std::scoped_lock lock(door);
          counted[std::size_t(block)] = std::move(counts);
          progress(++done, blocks);
        };
      });
  Counts whole;
  for (Counts const& counts : counted) whole.merge(counts);  // in the order of the blocks, whoever counted
  results::ScenarioComparison made{.id = in_first.id, .replicates = replicates, .shares = {}, .means = {}};
  std::size_t place = 0;
  for (auto const& [a, b] : pairs.statements) {
    results::PairedShare share = share_of(whole.shares[place++]);
    share.kind = "statement", share.id = first.statements()[a].analysis, share.arm = first.statements()[a].arm;
    made.shares.push_back(std::move(share));
  }
  for (auto const& [a, b] : pairs.claims) {
    results::PairedShare share = share_of(whole.shares[place++]);
    share.kind = "claim", share.id = one.protocol.claims[a].id, share.label = one.protocol.claims[a].label.in("en");
    made.shares.push_back(std::move(share));
  }
  for (std::size_t m = 0; m < numbers.size(); ++m)
    made.means.push_back(
        {std::string(numbers[m]), whole.means[m][0].measured(), whole.means[m][1].measured(), whole.means[m][2].measured()});
  return made;
}

}  // namespace equipoise::simulate
