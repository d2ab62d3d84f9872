#include "equipoise/allocation/method.h"

#include "equipoise/core/text.h"

namespace equipoise::allocation {

double parse_probability(Setting const& setting, Section& text, std::optional<double> otherwise) {
  if (!otherwise && !text.need("probability")) return 1;
  const auto given = text.number("probability", {.min = 0, .max = 1});
  if (!given) return otherwise.value_or(1);
  if (setting.places() == 0 || *given > 1.0 / double(setting.places())) return *given;
  text.report_at("probability", Code::out_of_range,
                 "with 'probability' = {} the preferred arm is not preferred: chance alone gives it 1/{}{}", shortest(*given),
                 setting.places(), setting.equal_ratio() ? "" : " for each unit of the ratio")
      .hint = "a probability above that, and at most 1";
  return 1;
}

void refuse_factors(Setting const& setting, Section& text, std::string_view keyword) {
  if (setting.factors.empty()) return;
  text.report_at("factors", Code::inconsistent, "{} allocates without regard to factors, and 'factors' names some", keyword)
      .hint = "permuted_block is stratified by its factors, and minimisation balances them";
}

void check_strata(Setting const& setting, Section& text) {
  if (setting.strata > most_strata)
    text.report_at("factors", Code::out_of_range, "the factors have more than {} combinations, each a stratum of its own",
                   most_strata)
        .hint = "minimisation balances each factor by itself";
}

std::string within_strata(Setting const& setting) {
  if (setting.factors.empty()) return {};
  std::vector<std::string> names;
  for (Factor const& factor : setting.factors) names.push_back("'" + factor.id + "'");
  return fmt::format(" within each {} {}", names.size() == 1 ? "level of" : "combination of", one_of(names, "and"));
}

}  // namespace equipoise::allocation
