#include "equipoise/simulate/conduct_script.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "equipoise/core/text.h"
#include "equipoise/simulate/records.h"

namespace equipoise::simulate {
namespace {

using conduct::Role;
using namespace std::chrono;

/// Within a day: what happens before what.
enum Order { arrival, consent, screening, randomisation, visiting, events, leaving };

struct Dated {
  double day = 0;  ///< day number
  Order order{};
  std::size_t who = 0;
  ScriptedAct act{};
};

/// A value of a virtual trial as somebody would have typed it; `since` is the day number of the randomisation.
std::string typed(protocol::Item const& item, double value, double since) {
  switch (item.kind) {
    case protocol::ItemKind::code:
      return item.codes[std::size_t(value)].id;
    case protocol::ItemKind::flag:
      return value == 1 ? "true" : "false";
    case protocol::ItemKind::date:
      return to_string(from_day_number(since + value));
    default:
      return shortest(value);
  }
}

/// The day on which a participant first comes: that of the first visit, or of the randomisation.
double arrival_day(VirtualTrial const& trial, std::size_t i) {
  double first = 0;
  for (std::size_t v = 0; (v + 1) * trial.n <= trial.visit_day.size(); ++v)
    if (const double day = trial.visit_day[v * trial.n + i]; !std::isnan(day)) first = std::min(first, day);
  return opening_day + trial.entry[i] + first;
}

class Writer {
 public:
  Writer(conduct::Plan const& plan, Layout const& layout, VirtualTrial const& trial)
      : plan_(plan), p_(plan.protocol()), layout_(layout), trial_(trial), ids_(conducted_ids(plan, trial)) {}

  std::vector<ScriptedAct> write() {
    for (std::size_t i = 0; i < trial_.n; ++i) participant(i);
    std::ranges::stable_sort(acts_, {}, [](Dated const& one) { return std::tuple(one.day, one.order, one.who); });
    std::vector<ScriptedAct> script;
    double day = 0;
    milliseconds time{0};
    for (Dated& one : acts_) {
      if (one.day != day) day = one.day, time = hours(10);  // UTC: from Hawaii to Auckland it is the day that is meant
      const auto put = [&](ScriptedAct act) {
        time += seconds(1);
        act.at = from_day_number(one.day) + time;
        script.push_back(std::move(act));
      };
      const bool prepared = std::holds_alternative<conduct::PrepareDose>(one.act.command);
      const std::string at = one.act.site;
      put(std::move(one.act));
      if (!prepared) continue;
      const std::string dose = fmt::format("dose-{}", ++doses_);
      put({{}, at, Role::preparer, true, conduct::ConfirmDose{dose}, {}});
      put({{}, at, Role::preparer, false, conduct::MoveDose{dose, "released"}, {}});
      put({{}, at, Role::coordinator, false, conduct::MoveDose{dose, "received"}, {}});
      put({{}, at, Role::coordinator, false, conduct::MoveDose{dose, "given"}, {}});
    }
    return script;
  }

 private:
  std::string const& site(std::size_t i) const { return p_.sites[std::size_t(trial_.site[i])].id; }
  double randomised(std::size_t i) const { return opening_day + trial_.entry[i]; }
  std::string date(double day) const { return to_string(from_day_number(day)); }

  void add(double day, Order order, std::size_t i, Role role, conduct::Command command, bool second = false, std::string reason = {}) {
    acts_.push_back({day, order, i, {Instant{}, site(i), role, second, std::move(command), std::move(reason)}});
  }

  void participant(std::size_t i) {
    std::string const& id = ids_[i];
    const double start = randomised(i), first = arrival_day(trial_, i);
    add(first, arrival, i, Role::coordinator, conduct::Enrol{});
    add(first, consent, i, Role::coordinator, conduct::Consent{.participant = id, .date = date(first)});
    for (std::size_t v = 0; v < layout_.visits; ++v) visit(i, id, v);
    add(start, randomisation, i, Role::investigator, conduct::Randomise{.participant = id});
    for (std::size_t f = 0; f < layout_.forms.size(); ++f) entries(i, id, f);
    const double end = start + trial_.follow_up_end[i];
    const bool told =
        std::ranges::any_of(p_.ends_participation, [&](std::string const& code) { return event_day(i, code).has_value(); });
    if (!told) add(end, leaving, i, Role::investigator, conduct::Stop{.participant = id, .what = "completed", .date = date(end)});
  }

  /// The day since randomisation on which an entry says that the dated event happened to the participant.
  std::optional<double> event_day(std::size_t i, std::string const& code) const {
    conduct::Plan::EventSlot const* slot = plan_.event_slot(code);
    for (std::size_t f = 0; slot && f < layout_.forms.size(); ++f) {
      if (layout_.forms[f].form->id != slot->form->id) continue;
      const auto item = std::ranges::find(layout_.forms[f].items, slot->code->id, &protocol::Item::id);
      if (item == layout_.forms[f].items.end()) continue;
      auto const& from = trial_.entries[f];
      auto const& values = from.items[std::size_t(item - layout_.forms[f].items.begin())];
      for (std::size_t row = 0; row < values.size(); ++row)
        if (from.participant[row] == i && !std::isnan(values[row]) && slot->code->codes[std::size_t(values[row])].id == code)
          return from.date[row];
    }
    return {};
  }

  void visit(std::size_t i, std::string const& id, std::size_t v) {
    const double day = trial_.visit_day[v * trial_.n + i];
    if (std::isnan(day)) return;
    const double when = randomised(i) + day;
    protocol::Visit const& visit = p_.visits[v];
    const bool before = day < 0 || (day == 0 && visit.day.offset() < 0);
    const Order order = before ? screening : visiting;
    add(when, order, i, Role::coordinator, conduct::RecordVisit{.participant = id, .visit = visit.id, .date = date(when)});
    for (std::string const& form_id : visit.forms) {
      // Who enters which item: some are the laboratory's alone.
      conduct::SaveForm by_site{.record = {.participant = id, .form = form_id, .visit = visit.id}}, by_laboratory = by_site;
      protocol::Form const& form = *p_.form(form_id);
      for (protocol::Item const& item : form.items) {
        const auto cell = layout_.cell(item.id, v);
        if (!cell) continue;
        const double value = trial_.value[*cell * trial_.n + i];
        if (std::isnan(value)) continue;
        const bool site_enters = plan_.enters(Role::coordinator, item.id, visit.id) && !plan_.masked(Role::coordinator, item.id, visit.id);
        (site_enters ? by_site : by_laboratory).values.push_back({.item = item.id, .value = typed(item, value, randomised(i))});
      }
      if (!by_site.values.empty()) add(when, order, i, Role::coordinator, by_site);
      if (!by_laboratory.values.empty()) {
        by_laboratory.revision = by_site.values.empty() ? 0 : 1;
        add(when, order, i, Role::laboratory, by_laboratory);
      }
    }
    doses(i, id, visit, when);
  }

  void doses(std::size_t i, std::string const& id, protocol::Visit const& visit, double when) {
    const auto given = layout_.cell("given", place(visit));
    const auto stopped = event_day(i, "treatment_stop");
    if (stopped && randomised(i) + *stopped <= when) return;
    for (protocol::Intervention const& what : p_.interventions) {
      if (what.amount.empty() || std::ranges::find(what.visits, visit.id) == what.visits.end()) continue;
      const double how = given ? trial_.value[*given * trial_.n + i] : 0;
      if (std::isnan(how) || (given && p_.item("given")->codes[std::size_t(how)].id == "none")) continue;
      add(when, events, i, Role::preparer,
          conduct::PrepareDose{.participant = id, .visit = visit.id, .intervention = what.id, .expires = date(when + 1), .weight_looked_at_again = true});
    }
  }

  std::size_t place(protocol::Visit const& visit) const { return std::size_t(&visit - p_.visits.data()); }

  void entries(std::size_t i, std::string const& id, std::size_t f) {
    Layout::Form const& form = layout_.forms[f];
    VirtualTrial::Entries const& from = trial_.entries[f];
    for (std::size_t row = 0; row < from.participant.size(); ++row) {
      if (from.participant[row] != i) continue;
      conduct::SaveForm save{.record = {.participant = id, .form = form.form->id}};
      double last = from.date[row];  // an end that lies later is entered when it is there
      for (std::size_t k = 0; k < form.items.size(); ++k) {
        const double value = from.items[k][row];
        if (std::isnan(value)) continue;
        if (form.items[k]->kind == protocol::ItemKind::date) last = std::max(last, value);
        save.values.push_back({.item = form.items[k]->id, .value = typed(*form.items[k], value, randomised(i))});
      }
      add(randomised(i) + std::max(0.0, last), leaving, i, Role::investigator, std::move(save));
    }
  }

  conduct::Plan const& plan_;
  protocol::Protocol const& p_;
  Layout const& layout_;
  VirtualTrial const& trial_;
  std::vector<std::string> ids_;
  std::vector<Dated> acts_;
  std::size_t doses_ = 0;
};

}  // namespace

std::vector<std::string> conducted_ids(conduct::Plan const& plan, VirtualTrial const& trial) {
  std::vector<std::size_t> order(trial.n);
  for (std::size_t i = 0; i < trial.n; ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return arrival_day(trial, i); });
  std::vector<std::size_t> number(plan.protocol().sites.size(), 0);
  std::vector<std::string> ids(trial.n);
  for (const std::size_t i : order) {
    const auto site = std::size_t(trial.site[i]);
    ids[i] = fmt::format("{}-{:03}", plan.protocol().sites[site].id, ++number[site]);
  }
  return ids;
}

std::vector<ScriptedAct> conduct_script(conduct::Plan const& plan, Layout const& layout, VirtualTrial const& trial) {
  return Writer(plan, layout, trial).write();
}

}  // namespace equipoise::simulate
