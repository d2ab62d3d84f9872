#include "equipoise/report/subgroups.h"

#include <algorithm>

#include "equipoise/report/headline.h"
#include "equipoise/report/tables/parts.h"

namespace equipoise::report {

std::vector<results::Subgroup const*> subgroups_of(Context const& context, std::string_view analysis) {
  std::vector<results::Subgroup const*> found;
  for (auto const& one : context.answer.subgroups)
    if (one.analysis == analysis && !one.levels.empty()) found.push_back(&one);
  return found;
}

std::string level_in_words(Context const& context, std::string_view item, std::string const& level) {
  const std::string_view id = item.substr(0, item.find('@'));
  if (const auto* asked = context.plan.item(id))
    for (auto const& code : asked->codes)
      if (code.id == level) return context.label(code.label, level);
  if (id == "site")
    for (auto const& site : context.plan.sites)
      if (site.id == level && !site.name.empty()) return site.name;
  if (level == "true") return context.words(Word::yes);
  if (level == "false") return context.words(Word::no);
  const std::string_view between = " to < ";
  if (const auto at = level.find(between); at != std::string::npos && context.words.chinese())
    return level.substr(0, at) + " 至 < " + level.substr(at + between.size());
  return level;
}

std::string effect_in_words(Context const& context, results::AnalysisRun const& run, results::Subgroup const& whole) {
  if (whole.levels.front().effects.empty()) return {};
  Finding const& f = whole.levels.front().effects.front().finding;
  const auto* endpoint = context.plan.endpoint(run.endpoint);
  const bool difference = f.quantity == "estimate" || f.quantity == "difference";
  std::string text = difference ? tables::said(context, "Difference", "差值") : quantity_in_words(context, run, f);
  if (difference && endpoint && endpoint->kind == protocol::EndpointKind::continuous)
    if (const std::string unit = context.endpoint_unit(run.endpoint); !unit.empty())
      text += context.words.chinese() ? "（" + unit + "）" : " (" + unit + ")";
  return text;
}

results::Interaction const* interaction_for(results::Subgroup const& subgroup, std::string_view arm) {
  for (auto const& one : subgroup.interactions)
    if (one.arm == arm) return &one;
  for (auto const& one : subgroup.interactions)
    if (one.arm.empty()) return &one;
  return nullptr;
}

std::vector<std::string> interaction_methods(Context const& context, std::vector<results::Subgroup const*> const& all) {
  const auto any = [&](std::string_view statistic) {
    return std::ranges::any_of(all, [&](auto const* one) {
      return std::ranges::any_of(one->interactions, [&](auto const& test) { return test.statistic == statistic; });
    });
  };
  std::vector<std::string> sentences;
  if (any("f"))
    sentences.push_back(tables::said(
        context, "P for interaction: F test of the product of arm and subgroup in the model of everybody, all arms together.",
        "交互作用P值：在全体模型中对组别与亚组乘积项作F检验（所有组一起）。"));
  if (any("likelihood_ratio_chi_square"))
    sentences.push_back(
        tables::said(context,
                     "P for interaction: likelihood ratio test of the product of arm and subgroup in the model of "
                     "everybody, all arms together.",
                     "交互作用P值：在全体模型中对组别与亚组乘积项作似然比检验（所有组一起）。"));
  if (any("heterogeneity_chi_square"))
    sentences.push_back(tables::said(context, "P for interaction: Cochran's Q of the estimates of the subgroups.",
                                     "交互作用P值：各亚组估计值的Cochran Q检验。"));
  return sentences;
}

}  // namespace equipoise::report
