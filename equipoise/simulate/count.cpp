#include "equipoise/simulate/count.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/simulate/effect.h"
#include "equipoise/simulate/outcome_items.h"

namespace equipoise::simulate {
namespace {

constexpr double most_expected = 600;  // where exp(-mean) is still a number, and far beyond what a person reports

/// The count at which the distribution function first exceeds u: by adding up probabilities from 0.
double poisson(double mean, double u) {
  double probability = std::exp(-mean), reached = probability;
  double count = 0;
  while (u >= reached && count < 10 * most_expected) {
    probability *= mean / ++count;
    if (reached + probability == reached && count > mean) break;  // nothing is left to add
    reached += probability;
  }
  return count;
}

}  // namespace

std::optional<Count> Count::parse(protocol::Protocol const& protocol, Section& text) {
  const std::size_t before = text.problems().size();
  Count model;
  text.need("outcome");
  auto outcomes = text.table("outcome", "'outcome' of " + text.name());
  if (!outcomes) return {};
  for (Node::Member const& member : *outcomes->node().table()) {
    protocol::Item const* item =
        need_item(protocol, *outcomes, member, {protocol::ItemKind::integer, protocol::ItemKind::number});
    if (!item) continue;
    auto table = outcomes->table(member.key, fmt::format("'{}' of {}", member.key, text.name()));
    if (!table) continue;
    Events events{.item = item, .per_day = {}};
    table->need("per_year");
    if (const auto rates = by_arm(protocol, *table, "per_year", {.min = 0, .max = 1000}, {}))
      for (double rate : *rates) events.per_day.push_back(rate / 365.25);
    events.dispersion = table->number("dispersion", {.min = 0, .max = 100}).value_or(0);
    table->finish();
    model.events_.push_back(std::move(events));
  }
  if (model.events_.empty() && text.problems().size() == before)
    text.report_at("outcome", Code::missing_key, "'outcome' of {} names no number of a visit", text.name());
  if (text.problems().size() != before) return {};
  return model;
}

void Count::lay_out(protocol::Protocol const& protocol, Layout& layout) {
  for (protocol::Visit const& visit : protocol.visits) target_.push_back(visit.day.offset());
  for (Events& events : events_) events.cells = add_cells(protocol, *events.item, layout);
}

void Count::fill(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const {
  const std::size_t stride = people.stride, n = people.n;
  double *u = arena.take(4 * stride), *frailty = arena.take(stride);
  for (std::size_t k = 0; k < events_.size(); ++k) {
    Events const& events = events_[k];
    std::fill(frailty, frailty + stride, 1.0);
    if (events.dispersion > 0) {
      draws.of(random::Purpose::outcome).uniforms(4095, std::uint32_t(k), n, people.who, u, stride);
      // A gamma of shape 1/d and scale d is d/2 times a chi-square with 2/d degrees of freedom.
      for (std::size_t i = 0; i < n; ++i)
        frailty[i] = events.dispersion / 2 * numerics::chi_square_quantile(u[i], 2 / events.dispersion);
    }
    double const* before = nullptr;  // day of the visit before
    for (std::size_t v = 0; v < events.cells.size(); ++v) {
      if (events.cells[v] < 0) continue;
      double const* day = people.day + v * stride;
      if (wanted.cells[std::size_t(events.cells[v])]) {
        double* out = values + std::size_t(events.cells[v]) * stride;
        if (target_[v] <= 0 || !people.arm) {
          std::fill(out, out + stride, 0.0);
        } else {
          draws.of(random::Purpose::outcome).uniforms(std::uint32_t(v), std::uint32_t(k), n, people.who, u, stride);
          for (std::size_t i = 0; i < n; ++i) {
            const double days = std::max(0.0, day[i] - (before ? before[i] : 0.0));
            out[i] = poisson(std::min(most_expected, events.per_day[std::size_t(people.arm[i])] * frailty[i] * days), u[i]);
          }
        }
      }
      if (target_[v] > 0) before = day;
    }
  }
}

}  // namespace equipoise::simulate
