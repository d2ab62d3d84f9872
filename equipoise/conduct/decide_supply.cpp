// Doses by weight, with two faces, and kits. What is in a bag or a kit the vault knows, and tells preparers alone.

#include <algorithm>
#include <cmath>

#include "equipoise/conduct/decider.h"
#include "equipoise/core/text.h"

namespace equipoise::conduct {
namespace {

/// The weight to dose by: of the visit itself, else of the latest one before it.
struct Weight {
  double kg = 0;
  std::string visit{}, date{};
};

std::optional<Weight> weight_at(protocol::Protocol const& protocol, Participant const& who, std::string_view visit) {
  std::optional<Weight> last;
  protocol::Item const* item = protocol.item("weight");
  if (!item) return {};
  for (protocol::Visit const& one : protocol.visits) {
    if (Record const* record = who.find(one.id, item->form, 0)) {
      Value const* value = record->find("weight");
      const auto number = value ? to_number(value->value) : std::nullopt;
      const auto date = who.visits.find(one.id);
      if (number && date != who.visits.end()) last = Weight{*number, one.id, date->second};
    }
    if (one.id == visit) break;
  }
  return last;
}

}  // namespace

void Decider::need_treated(Participant const& who) {
  if (!who.randomised) problem(Code::refused, "participant '{}' is not randomised", who.id);
  for (std::string_view end : {"treatment_stop", "study_stop", "death", "lost_to_follow_up"})
    if (Discontinued const* stop = who.end(end)) problem(Code::refused, "'{}' is recorded, on {}", end, stop->date);
}

void Decider::on(PrepareDose const& command) {
  Participant const* who = open_participant(command.participant);
  if (!who) return;
  protocol::Protocol const& protocol = plan_of(*who).protocol();
  const auto what = std::ranges::find(protocol.interventions, command.intervention, &protocol::Intervention::id);
  if (what == protocol.interventions.end()) {
    problem(Code::unresolved, "there is no intervention '{}'", command.intervention);
    return;
  }
  if (std::ranges::find(what->visits, command.visit) == what->visits.end())
    problem(Code::unresolved, "'{}' is not given at visit '{}'", command.intervention, command.visit);
  need_treated(*who);
  const auto expires = to_partial_date(command.expires);
  if (!expires || !expires->exact()) problem(Code::bad_cell, "'expires' is a date (YYYY-MM-DD), and not '{}'", command.expires);
  else if (command.expires < today(who->site)) problem(Code::out_of_range, "the dose expires before today");
  if (std::ranges::any_of(s_.doses, [&](auto const& entry) {
        Dose const& dose = entry.second;
        return dose.prepared.participant == who->id && dose.prepared.visit == command.visit &&
               dose.prepared.intervention == command.intervention && dose.step != "destroyed" && dose.step != "returned";
      }))
    problem(Code::duplicate, "a dose for this visit is prepared");
  const auto weight = weight_at(protocol, *who, command.visit);
  if (!weight) {
    problem(Code::missing_key, "no weight of participant '{}' is recorded", who->id);
    return;
  }
  // A weight that has changed much since the last dose is looked at again (F28).
  double before = 0;
  for (auto const& [id, dose] : s_.doses)
    if (dose.prepared.participant == who->id && dose.step == "given") before = dose.prepared.weight_kg;
  if (what->weight_change_confirm && before > 0 && std::abs(weight->kg / before - 1) > *what->weight_change_confirm &&
      !command.weight_looked_at_again)
    problem(Code::inconsistent, "the weight was {} kg at the last dose and is {} kg now, a change of more than {} %", shortest(before),
            shortest(weight->kg), shortest(100 * *what->weight_change_confirm))
        .hint = "check it with the site; if it is right, say so (weight_looked_at_again)";
  if (failed()) return;
  const auto order = around_.vault.dose({who->randomised->request.number, what->id, command.visit, weight->kg});
  if (!order) {
    problems_.push_back(order.error());
    return;
  }
  emit(DosePrepared{next_id("dose", s_.doses.size()), who->id, command.visit, what->id, around_.chance.name().substr(0, 8), weight->kg,
                    weight->date, command.expires});
}

void Decider::on(ConfirmDose const& command) {
  const auto found = s_.doses.find(command.dose);
  if (found == s_.doses.end() || !may_know(found->second.prepared.participant)) {
    problem(Code::unresolved, "there is no dose '{}'", command.dose);
    return;
  }
  if (found->second.step != "prepared") problem(Code::refused, "dose '{}' is {}", command.dose, found->second.step);
  if (found->second.prepared_by == actor_.user) problem(Code::refused, "a dose is confirmed by a second person (C30)");
  if (failed()) return;
  emit(DoseConfirmed{command.dose});
}

void Decider::on(MoveDose const& command) {
  const auto found = s_.doses.find(command.dose);
  if (found == s_.doses.end() || !may_know(found->second.prepared.participant)) {
    problem(Code::unresolved, "there is no dose '{}'", command.dose);
    return;
  }
  Dose const& dose = found->second;
  // Where a dose can go from where it is: the chain of custody.
  constexpr std::pair<std::string_view, std::string_view> steps[] = {
      {"confirmed", "released"}, {"released", "received"},  {"received", "given"},     {"released", "returned"},
      {"received", "returned"},  {"prepared", "destroyed"}, {"confirmed", "destroyed"}, {"returned", "destroyed"}};
  if (std::ranges::find(steps, std::pair<std::string_view, std::string_view>(dose.step, command.step)) == std::end(steps))
    problem(Code::refused, "a dose that is {} cannot be {}", dose.step, command.step);
  const bool preparer = command.step == "released" || command.step == "destroyed";
  if (preparer != (actor_.role == Role::preparer))
    problem(Code::refused, "a dose is {} by {}", command.step, preparer ? "its preparers" : "the site's blinded staff");
  if (command.step == "given" && dose.prepared.expires < today(actor_.site))
    problem(Code::refused, "dose '{}' has expired, on {}", command.dose, dose.prepared.expires);
  if (command.step == "returned" || command.step == "destroyed") need_reason("a dose that is not given");
  if (failed()) return;
  emit(DoseMoved{command.dose, command.step});
}

void Decider::on(LabelKits const& command) {
  const auto expires = to_partial_date(command.expires);
  if (!expires || !expires->exact()) problem(Code::bad_cell, "'expires' is a date (YYYY-MM-DD), and not '{}'", command.expires);
  if (!is_id(command.lot, true)) problem(Code::out_of_range, "'{}' is no lot name: small letters, digits, '_' and '-'", command.lot);
  if (command.kits_per_arm < 1 || command.kits_per_arm > 10000)
    problem(Code::out_of_range, "'kits_per_arm' is from 1 to 10000, the same for every arm");
  if (std::ranges::any_of(s_.kits, [&](auto const& entry) { return entry.second.kit.lot == command.lot; }))
    problem(Code::duplicate, "lot '{}' is labelled", command.lot);
  if (failed()) return;
  const auto kits = around_.vault.label_kits(command.lot, command.expires, command.kits_per_arm);
  if (!kits) {
    problems_.push_back(kits.error());
    return;
  }
  KitsLabelled made{command.lot, command.expires, {}};
  for (allocation::Kit const& kit : *kits) made.kits.push_back(kit.number);
  std::ranges::sort(made.kits);
  emit(std::move(made));
}

void Decider::on(MoveKits const& command) {
  struct Move {
    std::string_view step, from;
  };
  constexpr Move moves[] = {{"shipped", "labelled"}, {"received", "shipped"}, {"returned", "received"}, {"returned", "dispensed"},
                            {"destroyed", "labelled"}, {"destroyed", "returned"}};
  const bool quarantine = command.step == "quarantined" || command.step == "freed";
  if (!quarantine && std::ranges::find(moves, command.step, &Move::step) == std::end(moves)) {
    problem(Code::unknown_keyword, "kits are shipped, received, quarantined, freed, returned or destroyed, and not '{}'", command.step);
    return;
  }
  const std::string site = command.to.value_or("");
  auto const& sites = current().protocol().sites;
  if ((command.step == "shipped") == site.empty()) problem(Code::missing_key, "kits that are shipped go to a site, and only they");
  else if (!site.empty() && std::ranges::find(sites, site, &protocol::Site::id) == sites.end())
    problem(Code::unresolved, "there is no site '{}'", site);
  if (command.kits.empty()) problem(Code::missing_key, "say which kits");
  if (quarantine || command.step == "destroyed") need_reason("this");
  for (std::string const& number : command.kits) {
    const auto found = s_.kits.find(number);
    const bool mine = found != s_.kits.end() && (actor_.site.empty() || actor_.role == Role::preparer || found->second.kit.site == actor_.site);
    if (!mine) {
      problem(Code::unresolved, "there is no kit '{}'", number);
      continue;
    }
    KitState const& kit = found->second;
    if (quarantine && kit.quarantined == (command.step == "quarantined")) problem(Code::refused, "kit '{}' is {} already", number, command.step);
    if (!quarantine && std::ranges::none_of(moves, [&](Move const& move) { return move.step == command.step && move.from == kit.step; }))
      problem(Code::refused, "kit '{}' is {}, and cannot be {}", number, kit.step, command.step);
  }
  if (std::vector<std::string> sorted = command.kits; std::ranges::sort(sorted), std::ranges::adjacent_find(sorted) != sorted.end())
    problem(Code::duplicate, "a kit is named twice");
  if (failed()) return;
  KitsMoved made{command.step, site, command.kits};
  std::ranges::sort(made.kits);
  emit(std::move(made));
}

void Decider::on(DispenseKit const& command) {
  Participant const* who = open_participant(command.participant);
  if (!who) return;
  need_treated(*who);
  if (!plan_of(*who).protocol().visit(command.visit)) problem(Code::unresolved, "there is no visit '{}'", command.visit);
  std::vector<allocation::Kit> stock;
  for (auto const& [number, kit] : s_.kits) {
    if (kit.participant == who->id && kit.visit == command.visit && kit.step == "dispensed")
      problem(Code::duplicate, "kit '{}' is dispensed at this visit", number);
    if (kit.kit.site == who->site && kit.step == "received" && !kit.quarantined && kit.kit.expires >= today(who->site)) stock.push_back(kit.kit);
  }
  if (failed()) return;
  const auto number = around_.vault.choose_kit(who->randomised->request.number, stock);
  if (!number) {
    problems_.push_back(number.error());
    return;
  }
  emit(KitDispensed{*number, who->id, command.visit});
  made_.once.push_back({"kit", *number});
}

}  // namespace equipoise::conduct
