#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/protocol/reader.h"

namespace equipoise::protocol {
namespace {

using expression::Context;
using expression::Type;

void read_baseline(Reader& reader, Section& schedule) {
  auto section = schedule.table("baseline", "'baseline' of [schedule]");
  if (!section) return;
  Baseline& baseline = reader.protocol.baseline;
  if (const auto visit = section->need_text("visit")) {
    if (reader.resolves(*visit, ids_of(reader.protocol.visits), "visit", section->place_of("visit"))) baseline.visit = *visit;
    if (const Visit* known = reader.protocol.visit(*visit); known && known->day.offset() > 0)
      section->report_at("visit", Code::inconsistent, "visit '{}' is on day {}, after randomisation, and no baseline", known->id,
                         known->day.day());
  }
  constexpr std::array<std::pair<std::string_view, BaselineRule>, 3> rules{
      {{"at_visit", BaselineRule::at_visit}, {"last", BaselineRule::last}, {"mean_of_two", BaselineRule::mean_of_two}}};
  baseline.rule = section->word<BaselineRule>("rule", rules).value_or(BaselineRule::at_visit);
  baseline.until = reader.rule(*section, "until", Context{}, {Type::date, Type::moment}, false);
  if (section->has("until") && baseline.rule == BaselineRule::at_visit)
    section->report_at("until", Code::inconsistent, "'until' ends the search for the last value, and rule is \"at_visit\"").hint =
        "say rule = \"last\" or \"mean_of_two\"";
  section->finish();
}

/// The items that a rule reads at the visit under evaluation, through derivations too.
void items_of(Protocol const& protocol, expression::Expression const& rule, std::set<std::string>& items) {
  for (std::string const& read : rule.variables()) {
    const std::string name = read.substr(0, read.find('@'));
    if (protocol.item(name)) items.insert(name);
    else if (const Derivation* derivation = protocol.derivation(name); derivation && derivation->rule)
      items_of(protocol, derivation->rule, items);
  }
}

std::string_view word(Worst worst) { return worst == Worst::lowest ? "lowest" : "highest"; }

/// nominal = "worst": the bad end of an item is what it says itself, or what an endpoint on it calls a benefit.
void resolve_worst(Reader& reader, Endpoint const& endpoint) {
  if (!endpoint.variable) return;
  std::set<std::string> read;
  items_of(reader.protocol, *endpoint.variable, read);
  const std::string text = expression::canonical_text(*endpoint.variable);
  const bool itself = read.size() == 1 && text.substr(0, text.find('@')) == *read.begin();
  const Worst said = endpoint.benefit == Benefit::higher  ? Worst::lowest
                     : endpoint.benefit == Benefit::lower ? Worst::highest
                                                          : Worst::unstated;
  for (Form& form : reader.protocol.forms)
    for (Item& item : form.items) {
      if (form.any_time || !read.contains(item.id) || (item.kind != ItemKind::number && item.kind != ItemKind::integer)) continue;
      if (itself && said != Worst::unstated) {
        if (item.worst == Worst::unstated) item.worst = said;
        else if (item.worst != said)
          add_problem(
              reader.problems, endpoint.place, Code::inconsistent,
              "of several values of '{}' in one window the worst is the {} one, and by the benefit of endpoint '{}' the {} "
              "one",
              item.id, word(item.worst), endpoint.id, word(said));
      }
    }
}

void check_worst(Reader& reader, Endpoint const& endpoint) {
  std::set<std::string> read;
  if (endpoint.variable) items_of(reader.protocol, *endpoint.variable, read);
  if (endpoint.event) items_of(reader.protocol, *endpoint.event, read);
  for (std::string const& id : read) {
    const Item& item = *reader.protocol.item(id);
    const bool number = item.kind == ItemKind::number || item.kind == ItemKind::integer;
    if (number && item.worst == Worst::unstated && !reader.protocol.form(item.form)->any_time)
      add_problem(
          reader.problems, endpoint.place, Code::missing_key,
          "nominal = \"worst\" takes the worst value in a window, and which end of '{}' is bad is not said; endpoint '{}' "
          "reads it",
          id, endpoint.id)
          .hint = fmt::format("give item '{}' worst = \"lowest\" or \"highest\"", id);
  }
}

}  // namespace

void read_handling(Reader& reader, Section& schedule) {
  constexpr std::array<std::pair<std::string_view, Nominal>, 5> nominal{{{"closest", Nominal::closest},
                                                                         {"first", Nominal::first},
                                                                         {"last", Nominal::last},
                                                                         {"mean", Nominal::mean},
                                                                         {"worst", Nominal::worst}}};
  reader.protocol.nominal = schedule.word<Nominal>("nominal", nominal).value_or(Nominal::closest);
  constexpr std::array<std::pair<std::string_view, SameDay>, 3> same_day{
      {{"mean", SameDay::mean}, {"lowest", SameDay::lowest}, {"highest", SameDay::highest}}};
  reader.protocol.same_day = schedule.word<SameDay>("same_day", same_day).value_or(SameDay::refused);
  read_baseline(reader, schedule);
}

void check_handling(Reader& reader) {
  Protocol& protocol = reader.protocol;
  if (protocol.nominal == Nominal::worst) {
    for (Endpoint const& endpoint : protocol.endpoints) resolve_worst(reader, endpoint);
    for (Endpoint const& endpoint : protocol.endpoints) check_worst(reader, endpoint);
  }
  if (!protocol.source || !protocol.source->visits || !protocol.source->visit.empty()) return;
  std::set<std::string> placed_forms;
  for (SourceItem const& item : protocol.source->items)
    if (item.visit.empty() && protocol.item(item.item)) placed_forms.insert(protocol.item(item.item)->form);
  for (Visit const& visit : protocol.visits)
    if (!visit.has_window &&
        std::ranges::any_of(visit.forms, [&](std::string const& form) { return placed_forms.contains(form); }))
      add_problem(reader.problems, visit.place, Code::missing_key,
                  "[source] places values by their day, and visit '{}' has no window to place them in", visit.id)
          .hint = "window = [days before, days after]; [0, 0] is the target day alone";
}

}  // namespace equipoise::protocol
