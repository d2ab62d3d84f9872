#include "equipoise/analysis/replay.h"

#include <algorithm>

#include "equipoise/allocation/rule.h"

namespace equipoise::analysis {
namespace {

class ReplayOfRule final : public stats::Replay {
 public:
  explicit ReplayOfRule(allocation::Rule rule) : rule_(std::move(rule)), start_(rule_.start()) {}

  std::string sentence() const override { return rule_.sentence(); }

  Expected<void> replay(std::uint64_t seed, std::uint64_t replicate, std::span<const std::int32_t> levels,
                        std::span<std::int32_t> groups) const override {
    const random::PhiloxKey key = random::derived_key({seed, random::Purpose::rerandomisation});
    const std::size_t factors = rule_.setting().factors.size();
    allocation::State state = start_;
    for (std::size_t who = 0; who < groups.size(); ++who) {
      const random::PhiloxDraw draw(key, {.replicate = replicate, .participant = std::uint32_t(who)});
      Expected<std::int32_t> arm = rule_.next(state, levels.subspan(who * factors, factors), draw);
      if (!arm) {
        Error error = std::move(arm.error());
        error.message = fmt::format("the randomisation cannot be replayed: at participant {} in order of randomisation {}",
                                    who + 1, error.message);
        return tl::unexpected(std::move(error));
      }
      groups[who] = *arm;
    }
    return {};
  }

 private:
  allocation::Rule rule_;
  allocation::State start_;
};

}  // namespace

bool replays(stats::MethodCard const& card) {
  return std::ranges::find(card.roles, "order", &stats::RoleCard::name) != card.roles.end();
}

std::shared_ptr<const stats::Replay> plan_replay(protocol::Protocol const& protocol, protocol::AnalysisSet const& set,
                                                 Section& section, data::Recipe& recipe, stats::Roles& roles) {
  const std::size_t before = section.problems().size();
  if (!protocol.randomisation) {
    section
        .report_at(
            "method", Code::missing_key,
            "a re-randomisation test replays the randomisation of the trial, and the protocol has no section [randomisation]")
        .hint = "permutation_test permutes arms within strata and needs none";
    return {};
  }
  if (set.as_treated)
    section.report_at("method", Code::inconsistent,
                      "a re-randomisation test compares arms as randomised, and analysis set '{}' goes by the treatment received",
                      set.id);
  if (auto const& source = protocol.source) {
    if (source->randomised.empty() && source->randomisation_order.empty())
      section
          .report_at("method", Code::missing_column,
                     "a re-randomisation test replays the trial in the order in which participants came, and [source] names no "
                     "column for it")
          .hint = "name a column 'randomised' (dates) or 'randomisation_order' (1, 2, 3, ...) in [source]";
    const bool by_site = std::ranges::any_of(protocol.randomisation_factors, [](auto const& factor) { return !factor.rule; });
    if (by_site && source->site.empty())
      section
          .report_at("method", Code::missing_column,
                     "a re-randomisation test needs the factor 'site', and [source] names no column for it")
          .hint = "name the column 'site' in [source]";
  }
  recipe.replay = true;
  roles["order"] = {"randomisation_order"};
  for (protocol::RandomisationFactor const& factor : protocol.randomisation_factors)
    roles["factors"].push_back(data::factor_column(factor.id));
  Problems elsewhere;
  const auto rule = allocation::Rule::parse(protocol, elsewhere);
  if (section.problems().size() > before || !rule) return {};
  return std::make_shared<ReplayOfRule>(*rule);
}

}  // namespace equipoise::analysis
