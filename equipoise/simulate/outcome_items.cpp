#include "equipoise/simulate/outcome_items.h"

#include <algorithm>

#include "equipoise/core/text.h"

namespace equipoise::simulate {

std::vector<std::size_t> visits_of(protocol::Protocol const& protocol, protocol::Item const& item) {
  std::vector<std::size_t> visits;
  for (std::size_t v = 0; v < protocol.visits.size(); ++v)
    if (std::ranges::find(protocol.visits[v].forms, item.form) != protocol.visits[v].forms.end()) visits.push_back(v);
  return visits;
}

protocol::Item const* need_item(protocol::Protocol const& protocol, Section& table, Node::Member const& member,
                                std::vector<protocol::ItemKind> const& kinds) {
  const auto fits = [&](protocol::Item const& item) {
    return std::ranges::find(kinds, item.kind) != kinds.end() && !visits_of(protocol, item).empty();
  };
  protocol::Item const* item = protocol.item(member.key);
  if (item && fits(*item)) return item;
  table.allow(member.key);
  std::vector<std::string> known;
  for (protocol::Form const& form : protocol.forms)
    for (protocol::Item const& one : form.items)
      if (fits(one)) known.push_back(one.id);
  Error& error = add_problem(table.problems(), member.place, Code::unresolved, "{} names '{}', which is {}", table.name(),
                             member.key, item ? "not an item of its kind at a visit" : "no item of the trial");
  if (const auto near = nearest(member.key, known)) error.hint = fmt::format("did you mean '{}'?", *near);
  else if (!known.empty()) error.hint = fmt::format("it can be {}", one_of(known));
  return nullptr;
}

std::vector<std::int32_t> add_cells(protocol::Protocol const& protocol, protocol::Item const& item, Layout& layout) {
  std::vector<std::int32_t> cells(protocol.visits.size(), -1);
  for (std::size_t v : visits_of(protocol, item)) {
    cells[v] = std::int32_t(layout.cells.size());
    layout.cells.push_back({&item, v});
  }
  return cells;
}

}  // namespace equipoise::simulate
