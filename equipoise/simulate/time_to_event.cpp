#include "equipoise/simulate/time_to_event.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/text.h"
#include "equipoise/numerics/logarithm.h"
#include "equipoise/protocol/names.h"
#include "equipoise/simulate/outcome_items.h"

namespace equipoise::simulate {

std::optional<TimeToEvent> TimeToEvent::parse(protocol::Protocol const& protocol, Section& text) {
  const std::size_t before = text.problems().size();
  TimeToEvent model;
  text.need("event");
  auto events = text.table("event", "'event' of " + text.name());
  if (!events) return {};
  for (Node::Member const& member : *events->node().table()) {
    auto table = events->table(member.key, fmt::format("the event '{}' of {}", member.key, text.name()));
    if (!table) continue;
    if (table->has("time")) {
      protocol::Item const* flag = need_item(protocol, *events, member, {protocol::ItemKind::flag});
      const auto name = table->need_text("time");
      protocol::Item const* time = name ? protocol.item(*name) : nullptr;
      if (name && (!time || (time->kind != protocol::ItemKind::number && time->kind != protocol::ItemKind::integer) ||
                   visits_of(protocol, *time).empty())) {
        table->report_at("time", Code::unresolved, "'time' of {} must be a number at a visit, and '{}' is none", table->name(),
                         *name);
        time = nullptr;
      }
      double days = 1;
      if (time) {
        constexpr std::pair<std::string_view, double> units[] = {{"d", 1}, {"wk", 7}, {"mo", 0}, {"a", 365.25}};
        const auto unit = std::ranges::find(units, time->unit, [](auto const& u) { return u.first; });
        if (unit == std::end(units))
          table->report_at("time", Code::unit_mismatch, "'{}' must have the unit d, wk, mo or a to be a time, and has '{}'",
                           *name, time->unit);
        else days = unit->second > 0 ? unit->second : protocol.conventions.month_days;
      }
      const auto when = EventTime::parse(protocol, *table);
      table->finish();
      if (flag && time && when) model.pairs_.push_back({flag, time, *when, days});
      continue;
    }
    const auto event = dated_event(protocol, member.key);
    const auto when = EventTime::parse(protocol, *table);
    table->finish();
    if (event && when) model.events_.push_back({*event, *when});
    if (event) continue;
    const std::vector<std::string> known = protocol::dated_events(protocol);
    Error& error = add_problem(text.problems(), member.place, Code::unresolved,
                               "{} names '{}', which is no dated event of the trial", events->name(), member.key);
    if (const auto near = nearest(member.key, known)) error.hint = fmt::format("did you mean '{}'?", *near);
    else error.hint = "a flag at a visit is one too, when `time` names the item with its time";
  }
  if (model.events_.empty() && model.pairs_.empty() && text.problems().size() == before)
    text.report_at("event", Code::missing_key, "'event' of {} names none", text.name());
  if (text.problems().size() != before) return {};
  return model;
}

void TimeToEvent::lay_out(protocol::Protocol const& protocol, Layout& layout) {
  for (Pair& pair : pairs_) {
    pair.flag_cells = add_cells(protocol, *pair.flag, layout);
    pair.time_cells = add_cells(protocol, *pair.time, layout);
  }
}

void TimeToEvent::fill(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const {
  const std::size_t stride = people.stride, n = people.n;
  double *u = arena.take(4 * stride), *when = arena.take(stride);
  for (std::size_t k = 0; k < pairs_.size(); ++k) {
    Pair const& pair = pairs_[k];
    if (people.arm) {
      draws.of(random::Purpose::outcome).uniforms(4095, std::uint32_t(k), n, people.who, u, stride);
      for (std::size_t i = 0; i < stride; i += numerics::lanes)
        numerics::store(when + i, -numerics::logarithm(numerics::load(u + i)));
      pair.when.days(n, people.arm, when);
    }
    for (std::size_t v = 0; v < pair.flag_cells.size(); ++v)
      for (bool flag : {true, false}) {
        const std::int32_t cell = (flag ? pair.flag_cells : pair.time_cells)[v];
        if (cell < 0 || !wanted.cells[std::size_t(cell)]) continue;
        double* out = values + std::size_t(cell) * stride;
        double const* day = people.day + v * stride;
        if (!people.arm) std::fill(when, when + stride, std::numeric_limits<double>::infinity());
        if (flag)
          for (std::size_t i = 0; i < n; ++i) out[i] = when[i] <= day[i] ? 1.0 : 0.0;
        else
          for (std::size_t i = 0; i < n; ++i) {
            const double seen = when[i] <= day[i] ? when[i] : day[i];
            out[i] = (seen > 0 ? seen : 0.0) / pair.days;
          }
        if (!flag && pair.time->kind == protocol::ItemKind::integer)
          for (std::size_t i = 0; i < n; ++i) out[i] = std::rint(out[i]);
      }
  }
}

}  // namespace equipoise::simulate
