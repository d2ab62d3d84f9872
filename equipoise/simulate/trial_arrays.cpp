#include "equipoise/simulate/trial_arrays.h"

#include <algorithm>

#include "equipoise/protocol/names.h"
#include "equipoise/simulate/records.h"

namespace equipoise::simulate {

using expression::flat::Node;
using expression::flat::Op;
using expression::flat::Space;
using protocol::BaselineRule;
using protocol::ItemKind;

// ---- Arrays ----------------------------------------------------------------------------------------------------------

TrialArrays::TrialArrays(Layout const& layout) : cells_(layout.cells.size()), visits_(layout.visits) {
  arrays_ = randomisation() + 1;
  for (Layout::Form const& form : layout.forms) {
    first_of_form_.push_back(std::uint32_t(arrays_));
    items_.push_back(form.items.size());
    arrays_ += 1 + form.items.size();
  }
}

void TrialArrays::fill(VirtualTrial const& trial, Filled& filled) const {
  const std::size_t n = trial.n;
  expects(
      trial.value.size() >= cells_ * n && trial.visit_day.size() >= visits_ * n && trial.entries.size() == first_of_form_.size(),
      "a virtual trial has the arrays of its layout");
  filled.arrays_.resize(arrays_);
  for (std::size_t c = 0; c < cells_; ++c) filled.arrays_[cell(c)] = trial.value.data() + c * n;
  for (std::size_t v = 0; v < visits_; ++v) filled.arrays_[visit_day(v)] = trial.visit_day.data() + v * n;
  for (std::vector<double>& copy : filled.copies_) copy.resize(n);
  const auto widened = [&](auto const* from, std::vector<double>& to) {
    double* out = to.data();
    for (std::size_t i = 0; i < n; ++i) out[i] = from[i];
  };
  widened(trial.arm.data(), filled.copies_[0]);
  widened(trial.site.data(), filled.copies_[1]);
  double const* entry = trial.entry.data();
  double* randomised = filled.copies_[2].data();
  for (std::size_t i = 0; i < n; ++i) randomised[i] = opening_day + entry[i];
  for (std::uint32_t k = 0; k < filled.copies_.size(); ++k) filled.arrays_[arm() + k] = filled.copies_[k].data();
  filled.entries_.clear();
  for (std::size_t f = 0; f < trial.entries.size(); ++f) {
    VirtualTrial::Entries const& entries = trial.entries[f];
    expects(entries.date.size() == entries.participant.size() && entries.items.size() == items_[f],
            "entries have the items of the layout");
    filled.entries_.push_back({entries.participant.size(), entries.participant.data()});
    filled.arrays_[entry_date(f)] = entries.date.data();
    for (std::size_t k = 0; k < entries.items.size(); ++k) filled.arrays_[entry_item(f, k)] = entries.items[k].data();
  }
  filled.rows_ = {n, filled.arrays_, filled.entries_};
}

// ---- Names -----------------------------------------------------------------------------------------------------------

TrialNames::TrialNames(protocol::Protocol const& protocol, Layout const& layout, TrialArrays const& arrays,
                       expression::flat::Graph& graph)
    : protocol_(protocol), layout_(layout), arrays_(arrays), graph_(graph) {}

std::vector<std::string> TrialNames::post_baseline_visits() {
  std::vector<std::string> visits;
  for (protocol::Visit const& visit : protocol_.visits)
    if (visit.day.offset() > 0) visits.push_back(visit.id);
  return visits;
}

std::size_t TrialNames::place_of(std::string_view visit) const {
  const auto found = std::ranges::find(protocol_.visits, visit, &protocol::Visit::id);
  expects(found != protocol_.visits.end(), "visits of expressions are checked");
  return std::size_t(found - protocol_.visits.begin());
}

std::vector<Node> TrialNames::recorded(std::string_view id) {
  const std::size_t place = place_of(id);
  std::vector<Node> found;
  for (Layout::Cell const& cell : layout_.cells)
    if (cell.visit == place) found.push_back(at(*cell.item, id));
  for (protocol::Form const& form : protocol_.forms)
    for (protocol::Item const& item : form.items)
      if (placed(item, id)) found.push_back(at(item, id));
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());  // not std::ranges::unique: Clang 14 cannot read it
  return found;
}

/// A visit took place when anything was recorded at it; where it has no day of its own the target day stands for it.
TrialNames::Visit TrialNames::visit(std::string_view id) {
  const std::size_t place = place_of(id);
  const std::vector<Node> anything = recorded(id);
  const Node target = graph_.constant(protocol_.visits[place].day.offset());
  return {anything.empty() ? graph_.constant(0) : graph_.add(Op::any_known, anything),
          graph_.add(Op::coalesce, {graph_.input(arrays_.visit_day(place)), target})};
}

TrialNames::Variable TrialNames::variable(std::string_view name, std::optional<std::string_view> visit) {
  const auto ids_of = [](auto const& things) {
    std::vector<std::string> ids;
    for (auto const& thing : things) ids.push_back(thing.id);
    return ids;
  };
  if (name == "randomised") return {.node = graph_.constant(1)};
  if (name == "randomisation") return {.node = graph_.constant(0)};
  if (name == "arm") return {.node = graph_.input(arrays_.arm()), .levels = ids_of(protocol_.arms)};
  if (name == "site") return {.node = graph_.input(arrays_.site()), .levels = ids_of(protocol_.sites)};
  if (const protocol::Item* item = protocol_.item(name)) return {.node = at(*item, visit), .levels = ids_of(item->codes)};
  const protocol::Derivation* derivation = protocol_.derivation(name);
  expects(derivation != nullptr, "names of expressions are checked");
  return {.rule = &derivation->rule};
}

TrialNames::Form TrialNames::form(std::string_view id) {
  for (std::size_t f = 0; f < layout_.forms.size(); ++f)
    if (layout_.forms[f].form->id == id)
      return {.space = Space(f + 1), .date = graph_.input(arrays_.entry_date(f), Space(f + 1))};
  const protocol::Form* known = protocol_.form(id);
  expects(known != nullptr, "forms of expressions are checked");
  Form found{.date = graph_.missing()};
  for (protocol::Visit const& visit : protocol_.visits)
    if (!known->any_time && std::ranges::find(visit.forms, known->id) != visit.forms.end()) found.visits.push_back(visit.id);
  return found;
}

TrialNames::Variable TrialNames::entry_item(std::string_view form, std::string_view item) {
  const protocol::Item* known = protocol_.item(item);
  expects(known != nullptr, "items of expressions are checked");
  Variable found;
  for (protocol::CodeValue const& code : known->codes) found.levels.push_back(code.id);
  for (std::size_t f = 0; f < layout_.forms.size(); ++f) {
    if (layout_.forms[f].form->id != form) continue;
    found.node = graph_.missing(Space(f + 1));
    for (std::size_t k = 0; k < layout_.forms[f].items.size(); ++k)
      if (layout_.forms[f].items[k] == known) found.node = graph_.input(arrays_.entry_item(f, k), Space(f + 1));
  }
  return found;
}

Node TrialNames::calendar_day(double day) {
  return graph_.add(Op::subtract, {graph_.constant(day), graph_.input(arrays_.randomisation())});
}

Node TrialNames::cell(protocol::Item const& item, std::optional<std::size_t> visit) {
  const auto found = layout_.cell(item.id, visit);
  return found ? graph_.input(arrays_.cell(*found)) : graph_.missing();
}

Node TrialNames::at(protocol::Item const& item, std::optional<std::string_view> visit) {
  if (visit && placed(item, *visit)) return baseline_of(item);
  return cell(item, visit ? std::optional(place_of(*visit)) : std::nullopt);
}

// ---- Baseline --------------------------------------------------------------------------------------------------------

/// Whether the protocol's rule, and not the visit, says what the value is.
bool TrialNames::placed(protocol::Item const& item, std::string_view visit) const {
  if (!baseline_known_ || protocol_.baseline.rule == BaselineRule::at_visit || visit != protocol_.baseline.visit) return false;
  const protocol::Visit* baseline = protocol_.visit(visit);
  return baseline && item.kind != ItemKind::date && item.kind != ItemKind::text &&
         std::ranges::find(baseline->forms, item.form) != baseline->forms.end();
}

/// Of participants who have one, in days since randomisation; nothing when randomisation is the reference of everybody.
std::optional<Node> TrialNames::reference_day() {
  if (!reference_) {
    reference_.emplace();
    if (protocol_.baseline.until) {
      baseline_known_ = false;
      expression::flat::Compiler compiler(graph_, *this);
      const Node until = compiler.value(*protocol_.baseline.until).node;
      baseline_known_ = true;
      if (compiler.why_not()) why_not_ = compiler.why_not();
      *reference_ = graph_.add(Op::coalesce, {until, graph_.constant(0)});
    }
  }
  return *reference_;
}

/// The last value, or the mean of the last two, whose visit was due on or before the reference day (see windows.h: values of a
/// column a visit are dated by its target day).
Node TrialNames::baseline_of(protocol::Item const& item) {
  const std::optional<Node> reference = reference_day();
  const bool mean_of_two =
      protocol_.baseline.rule == BaselineRule::mean_of_two && (item.kind == ItemKind::number || item.kind == ItemKind::integer);
  Node last = graph_.missing(), before = graph_.missing();
  for (std::size_t v = 0; v < protocol_.visits.size(); ++v) {
    const double due = protocol_.visits[v].day.offset();
    if (!layout_.cell(item.id, v) || (!reference && due > 0)) continue;
    Node x = cell(item, v);
    if (reference)
      x = graph_.add(Op::select, {graph_.add(Op::less_equal, {graph_.constant(due), *reference}), x, graph_.missing()});
    if (mean_of_two) before = graph_.add(Op::select, {graph_.add(Op::missing, {x}), before, last});
    last = graph_.add(Op::coalesce, {x, last});
  }
  if (!mean_of_two) return last;
  const Node two = graph_.constant(2);
  const Node sum = graph_.add(Op::add, {graph_.add(Op::add, {graph_.constant(0), before}), last});
  // A mean must not overflow where the values do not.
  const Node mean = graph_.add(
      Op::coalesce, {graph_.add(Op::divide, {sum, two}),
                     graph_.add(Op::add, {graph_.add(Op::divide, {before, two}), graph_.add(Op::divide, {last, two})})});
  return graph_.add(Op::coalesce, {mean, last});
}

}  // namespace equipoise::simulate
