#include "equipoise/stats/categorical/mcnemar.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/categorical/clopper_pearson.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {

double mcnemar_exact_p(std::int64_t b, std::int64_t c) {
  if (b == c) return 1;
  // P(X <= m) of Binomial(n, 1/2) is P(B <= 1/2) of a beta with shapes n - m and m + 1.
  const double m = double(std::min(b, c)), n = double(b + c);
  return std::min(1.0, 2 * numerics::beta_cdf(0.5, n - m, m + 1));
}

MethodCard const& McNemar::card() {
  static const MethodCard card{.keyword = "mcnemar",
                               .title = "McNemar's test",
                               .roles = {{"first", Need::category, Presence::required, "first of two paired columns of two values"},
                                         {"second", Need::category, Presence::required, "second of them"}},
                               .options = {{"correction", "true | false", "continuity correction 1 (false)"},
                                           {"exact", "true | false", "binomial p value instead of the chi-square (false)"},
                                           {"level", "number above 0 and below 1", "of the limits of the exact odds (0.95)"}},
                               .quantities = {"chi_square", "df", "estimate", "lower", "upper", "p", "n"}};
  return card;
}

std::optional<McNemar> McNemar::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  McNemar method;
  check_roles(card(), roles, options);
  method.first = role(roles, "first");
  method.second = role(roles, "second");
  method.correction = options.flag("correction").value_or(false);
  method.exact = options.flag("exact").value_or(false);
  method.level = parse_level(options);
  if (method.exact && method.correction)
    options.report_at("correction", Code::inconsistent, "the exact test has no continuity correction");
  if (method.first == method.second && !method.first.empty())
    add_problem(options.problems(), options.place(), Code::inconsistent, "mcnemar takes column '{}' for both of the pair",
                method.first);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> McNemar::needs() const { return {{first, Need::category}, {second, Need::category}}; }

Expected<Answer> McNemar::run(Frame const& frame) const {
  CategoriesView const& one = frame.categories(first);
  CategoriesView const& two = frame.categories(second);
  // The columns may number the same value differently, so values are compared by their names.
  std::set<std::string> values;
  for (CategoriesView const* column : {&one, &two})
    for (const std::int32_t code : column->codes) values.insert(column->levels[std::size_t(code)]);
  if (values.size() > 2)
    return fail(Code::inconsistent, "mcnemar takes columns of two values, and '{}' and '{}' have {}", first, second,
                quoted({values.begin(), values.end()}));
  std::int64_t up = 0, down = 0;
  for (std::size_t i = 0; i < frame.rows; ++i) {
    std::string const& before = one.levels[std::size_t(one.codes[i])];
    std::string const& after = two.levels[std::size_t(two.codes[i])];
    if (before == after) continue;
    ++(before == *values.begin() ? up : down);
  }
  const double b = double(up), c = double(down);
  const auto n = std::int64_t(frame.rows);
  Answer answer;
  if (values.size() == 2)
    answer.notes.push_back(fmt::format("{} pairs went from '{}' to '{}', {} the other way.", up, *values.begin(),
                                       *values.rbegin(), down));
  if (exact) {
    const auto [share, lower, upper] = clopper_pearson(b, b + c, level);
    const auto odds = [](double p) { return p < 1 ? p / (1 - p) : missing_number; };
    Finding ratio{.quantity = "estimate",
                  .value = down > 0 ? b / c : missing_number,
                  .lower = odds(lower),
                  .upper = odds(upper),
                  .level = level,
                  .p = mcnemar_exact_p(up, down),
                  .n = n,
                  .scale = Scale::exact};
    if (n == 0) ratio.p = missing_number;
    if (up + down == 0)
      answer.notes.emplace_back("No pair differs: the odds are not estimable" +
                                std::string(n == 0 ? "." : ", and no other outcome is possible (p = 1)."));
    else if (down == 0) answer.notes.emplace_back("No pair went the other way: the odds and their upper limit are infinite, shown as not estimable.");
    answer.findings.push_back(std::move(ratio));
  } else {
    Finding test{.quantity = "chi_square", .df = missing_number, .p = missing_number, .n = n};
    if (up + down == 0) {
      answer.notes.emplace_back("No pair differs: the test is not estimable.");
    } else {
      const double distance = std::max(0.0, std::abs(b - c) - (correction ? 1 : 0));
      test.value = distance * distance / (b + c);
      test.df = 1;
      test.p = numerics::chi_square_upper(test.value, 1);
      if (correction) answer.notes.emplace_back("With continuity correction.");
    }
    answer.findings.push_back(std::move(test));
  }
  answer.findings.push_back({.quantity = "n", .value = double(n), .n = n});
  return answer;
}

}  // namespace equipoise::stats
