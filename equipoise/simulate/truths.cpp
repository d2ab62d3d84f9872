#include "equipoise/simulate/truths.h"

#include <algorithm>
#include <cmath>

#include "equipoise/analysis/ready_method.h"
#include "equipoise/simulate/plan_data.h"
#include "equipoise/simulate/tally.h"

namespace equipoise::simulate {
namespace {

constexpr std::uint64_t apart = std::uint64_t(1) << 40;  ///< numbers of the trials that tell the truth

/// Whether what the analysis estimates is a difference of means (or proportions), or a mean.
bool estimates_means(study::Study const& study, Statement const& statement) {
  protocol::Protocol const& protocol = study.protocol;
  protocol::Analysis const& section = *std::ranges::find(protocol.analyses, statement.analysis, &protocol::Analysis::id);
  stats::MethodCard const& card = *analysis::method_card(section.method);
  const protocol::Endpoint* endpoint = protocol.endpoint(section.endpoint);
  const auto takes = [&](std::string_view role) {
    return std::ranges::find(card.roles, role, &stats::RoleCard::name) != card.roles.end();
  };
  if (!endpoint || takes("ice") || (takes("subject") && !takes("visit"))) return false;  // another estimand, or another question
  if (endpoint->kind == protocol::EndpointKind::continuous) return takes("response");
  if (endpoint->kind != protocol::EndpointKind::binary) return false;
  if (section.method.ends_with("risk_difference") || section.method == "newcombe") return true;
  const bool measures = std::ranges::find(card.options, "measure", &stats::OptionCard::name) != card.options.end();
  const Node* measure = section.section.find("measure");
  return measures && (!measure || (measure->text() && *measure->text() == "difference"));  // the default of each that has one
}

/// The outcomes of one analysis when everybody is on one arm.
struct Outcomes {
  std::vector<double> response;  ///< at the visit of the question, one a participant
  std::vector<double> all;       ///< every outcome that the analysis can see, in rows: to tell whether arms differ
};

Outcomes outcomes(DatasetView const& view, std::string const& question) {
  Outcomes out;
  ColumnView const *response = nullptr, *visit = nullptr;
  for (ColumnView const& column : view.columns) {
    if (column.name == "visit") visit = &column;
    if (column.name == "response") response = &column;
    if (column.name == "response" || column.name == "time" || column.name == "event" || column.name == "left" ||
        column.name == "right")
      out.all.insert(out.all.end(), column.numbers().begin(), column.numbers().end());
  }
  if (!response) return out;
  for (std::size_t row = 0; row < view.rows; ++row)
    if (!visit || visit->categories().levels[std::size_t(visit->categories().codes[row])] == question)
      out.response.push_back(response->numbers()[row]);
  return out;
}

double mean_of(std::vector<double> const& values) {
  double sum = 0;
  std::size_t n = 0;
  for (const double value : values)
    if (!std::isnan(value)) sum += value, ++n;
  return sum / double(n);
}

/// Where both are known: a value that an event hides on one arm only is the same value all the same.
bool same(std::vector<double> const& a, std::vector<double> const& b) {
  return std::ranges::equal(a, b, [](double x, double y) { return x == y || std::isnan(x) || std::isnan(y); });
}

}  // namespace

std::vector<Truth> truths(study::Study const& study, World const& world, std::vector<Statement> const& statements,
                          std::uint64_t seed, int trials) {
  protocol::Protocol const& protocol = study.protocol;
  std::vector<Truth> made(statements.size());
  std::vector<Moments> means(statements.size());
  for (std::size_t s = 0; s < statements.size(); ++s) made[s].no_difference = !statements[s].against.empty();
  Workspace workspace;
  VirtualTrial trial;
  PlanData data(study, world.layout());
  const auto arm_number = [&](std::string const& id) {
    return std::size_t(std::ranges::find(protocol.arms, id, &protocol::Arm::id) - protocol.arms.begin());
  };
  for (int t = 0; t < trials; ++t) {
    std::vector<std::vector<Outcomes>> by_arm(protocol.arms.size());
    for (std::size_t arm = 0; arm < protocol.arms.size(); ++arm) {
      world.replicate(seed, apart + std::uint64_t(t), workspace, trial, {.arm = arm, .complete = true});
      data.take(trial);
      for (std::size_t planned = 0; planned < study.plan.analyses.size(); ++planned) {
        const protocol::Endpoint* endpoint = protocol.endpoint(study.plan.analyses[planned].recipe.endpoint);
        const auto view = data.view(planned);
        by_arm[arm].push_back(view ? outcomes(*view, endpoint ? endpoint->at : "") : Outcomes{});
      }
    }
    for (std::size_t s = 0; s < statements.size(); ++s) {
      if (statements[s].arm.empty()) {  // all arms together: do any two differ?
        Outcomes const& first = by_arm.front()[statements[s].planned];
        made[s].no_difference = made[s].no_difference && !first.all.empty() && std::ranges::all_of(by_arm, [&](auto const& arm) {
                                  return same(arm[statements[s].planned].all, first.all);
                                });
        continue;
      }
      Outcomes const& on_arm = by_arm[arm_number(statements[s].arm)][statements[s].planned];
      if (statements[s].against.empty()) {
        means[s].add(mean_of(on_arm.response));
        continue;
      }
      Outcomes const& on_control = by_arm[arm_number(statements[s].against)][statements[s].planned];
      made[s].no_difference = made[s].no_difference && !on_arm.all.empty() && same(on_arm.all, on_control.all);
      means[s].add(mean_of(on_arm.response) - mean_of(on_control.response));
    }
  }
  for (std::size_t s = 0; s < statements.size(); ++s) {
    if (made[s].no_difference) made[s].value = results::Measured{0, 0};
    else if (means[s].n > 0 && estimates_means(study, statements[s]) && !std::isnan(means[s].mean))
      made[s].value = results::Measured{means[s].mean, means[s].standard_error()};
  }
  return made;
}

}  // namespace equipoise::simulate
