#include "equipoise/simulate/binary.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/simulate/effect.h"
#include "equipoise/simulate/outcome_items.h"

namespace equipoise::simulate {

std::optional<Binary> Binary::parse(protocol::Protocol const& protocol, Section& text) {
  const std::size_t before = text.problems().size();
  constexpr Limits a_probability{.min = 0, .max = 1};
  Binary model;
  text.need("outcome");
  auto outcomes = text.table("outcome", "'outcome' of " + text.name());
  if (!outcomes) return {};
  for (Node::Member const& member : *outcomes->node().table()) {
    protocol::Item const* item = need_item(protocol, *outcomes, member, {protocol::ItemKind::flag});
    if (!item) continue;
    auto table = outcomes->table(member.key, fmt::format("'{}' of {}", member.key, text.name()));
    if (!table) continue;
    Flag flag{.item = item, .below = {}};
    table->need("probability");
    if (const auto probability = by_arm(protocol, *table, "probability", a_probability, {}))
      for (double p : *probability) flag.below.push_back(numerics::normal_quantile(p));
    flag.correlation = table->number("correlation", {.min = 0, .max = 1, .max_excluded = true}).value_or(0);
    flag.below_before = numerics::normal_quantile(table->number("before", a_probability).value_or(0));
    table->finish();
    model.flags_.push_back(std::move(flag));
  }
  if (model.flags_.empty() && text.problems().size() == before)
    text.report_at("outcome", Code::missing_key, "'outcome' of {} names no flag of a visit", text.name());
  if (text.problems().size() != before) return {};
  return model;
}

void Binary::lay_out(protocol::Protocol const& protocol, Layout& layout) {
  for (protocol::Visit const& visit : protocol.visits) after_.push_back(visit.day.offset() > 0);
  for (Flag& flag : flags_) flag.cells = add_cells(protocol, *flag.item, layout);
}

void Binary::fill(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const {
  const std::size_t stride = people.stride;
  const random::Batch of_person = draws.of(random::Purpose::participant), of_visit = draws.of(random::Purpose::outcome);
  double *person = arena.take(2 * stride), *visit = arena.take(2 * stride);
  for (std::size_t k = 0; k < flags_.size(); ++k) {
    Flag const& flag = flags_[k];
    const double shared = std::sqrt(flag.correlation), own = std::sqrt(1 - flag.correlation);
    if (shared > 0) of_person.normals(0, std::uint32_t(k), people.n, people.who, person, person + stride);
    for (std::size_t v = 0; v < flag.cells.size(); ++v) {
      if (flag.cells[v] < 0 || !wanted.cells[std::size_t(flag.cells[v])]) continue;
      of_visit.normals(std::uint32_t(v), std::uint32_t(k), people.n, people.who, visit, visit + stride);
      double* out = values + std::size_t(flag.cells[v]) * stride;
      for (std::size_t i = 0; i < people.n; ++i) {
        const double below = after_[v] && people.arm ? flag.below[std::size_t(people.arm[i])] : flag.below_before;
        out[i] = (shared > 0 ? shared * person[i] : 0.0) + own * visit[i] < below ? 1.0 : 0.0;
      }
    }
  }
}

}  // namespace equipoise::simulate
