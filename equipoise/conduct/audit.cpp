#include "equipoise/conduct/audit.h"

#include <algorithm>

#include "equipoise/core/record.h"
#include "equipoise/core/text.h"

namespace equipoise::conduct {
namespace {

/// Whom an event is about; empty: the trial.
std::string participant_of(Event const& event, State const& state) {
  return std::visit(
      [&](auto const& one) -> std::string {
        if constexpr (requires { one.participant; }) return one.participant;
        else if constexpr (requires { one.record.participant; }) return one.record.participant;
        else if constexpr (requires { one.query; }) {
          const auto found = state.queries.find(one.query);
          return found == state.queries.end() ? std::string() : found->second.record.participant;
        } else if constexpr (requires { one.case_id; }) {
          const auto found = state.cases.find(one.case_id);
          return found == state.cases.end() ? std::string() : found->second.record.participant;
        } else if constexpr (requires { one.dose; }) {
          const auto found = state.doses.find(one.dose);
          return found == state.doses.end() ? std::string() : found->second.prepared.participant;
        } else
          return {};
      },
      event);
}

std::string sentence_case(std::string_view name) {
  std::string words(name);
  std::ranges::replace(words, '_', ' ');
  return words;
}

class Trail {
 public:
  Trail(State const& state, Actor const& actor, AuditFilter const& filter, Surroundings const& around)
      : s_(state), actor_(actor), filter_(filter), around_(around) {}

  Expected<std::vector<AuditRow>> make() {
    std::optional<Error> problem;
    const auto read = around_.store.read(0, [&](StoredEvent const& stored) {
      const auto event = decoded_event(stored.bytes);
      if (!event) problem = event.error();
      else add(*event);
      return !problem;
    });
    if (!read) return tl::unexpected(read.error());
    if (problem) return tl::unexpected(*problem);
    return std::move(rows_);
  }

 private:
  std::string text(TextId const& id) const {
    if (id.empty()) return {};
    const auto found = around_.store.text(id);
    return found && *found ? (*found)->text : "(destroyed)";
  }

  void add(TrialEvent const& event) {
    Envelope const& e = event.envelope;
    const std::string who = participant_of(event.event, s_), day = to_string(e.at).substr(0, 10);
    Participant const* participant = who.empty() ? nullptr : s_.participant(who);
    const std::string site = participant ? participant->site : e.site;
    if (works_at_site(actor_.role) && site != actor_.site) return;
    if ((filter_.participant && who != *filter_.participant) || (filter_.user && e.actor != *filter_.user)) return;
    if ((filter_.from && day < *filter_.from) || (filter_.to && day > *filter_.to)) return;
    AuditRow row{.event = e.sequence, .at = to_string(e.at), .local = e.local, .user = e.actor, .role = e.role, .site = site,
                 .what = sentence_case(name_of(event.event)), .participant = who, .reason = text(e.reason), .clock_back = e.clock_back};
    Plan const* plan = around_.plans.find(participant ? participant->version : e.protocol);
    if (auto const* saved = std::get_if<FormSaved>(&event.event); saved && plan) return form(std::move(row), *saved, *plan);
    if (auto const* visit = std::get_if<VisitRecorded>(&event.event)) {
      row.visit = label_of(plan, visit->visit), row.before = visit->was;
      row.after = visit->date.empty() ? "did not take place" : visit->date;
    } else {
      row.after = detail(event.event);
    }
    rows_.push_back(std::move(row));
  }

  std::string label_of(Plan const* plan, std::string const& visit) const {
    protocol::Visit const* found = plan ? plan->protocol().visit(visit) : nullptr;
    return found && !found->label.empty() ? found->label.in(filter_.language) : visit;
  }

  void form(AuditRow row, FormSaved const& saved, Plan const& plan) {
    protocol::Form const* form = plan.protocol().form(saved.record.form);
    row.visit = saved.record.visit.empty() ? fmt::format("entry {}", saved.record.entry) : label_of(&plan, saved.record.visit);
    row.form = form && !form->label.empty() ? form->label.in(filter_.language) : saved.record.form;
    for (ItemValue const& value : saved.values) {
      if (plan.masked(actor_.role, value.item, saved.record.visit)) continue;
      protocol::Item const* item = plan.protocol().item(value.item);
      row.item = item && !item->label.empty() ? item->label.in(filter_.language) : value.item;
      const auto shown = [&](std::string const& raw) {
        if (raw.empty() || !item) return raw;
        if (item->kind == protocol::ItemKind::text) return raw.size() == 64 ? text(raw) : raw;
        if (item->kind == protocol::ItemKind::code)
          for (protocol::CodeValue const& code : item->codes)
            if (code.id == raw) return code.label.empty() ? raw : code.label.in(filter_.language);
        return item->unit.empty() || item->kind == protocol::ItemKind::flag ? raw : raw + " " + item->unit;
      };
      row.before = shown(value.was);
      row.after = value.missing.empty() ? shown(value.text.empty() ? value.value : value.text) : sentence_case(value.missing);
      if (!value.entered.empty()) row.after += fmt::format(" (entered as {})", value.entered);
      rows_.push_back(row);
    }
    for (AcceptedCheck const& accepted : saved.accepted) {
      row.item = accepted.check, row.before.clear(), row.after = "accepted: " + text(accepted.reason);
      const std::size_t colon = accepted.check.find(':');
      if (colon != std::string::npos && plan.masked(actor_.role, accepted.check.substr(colon + 1), saved.record.visit)) continue;
      rows_.push_back(row);
    }
  }

  /// The rest of an event in short: its data, texts filled in.
  std::string detail(Event const& event) const {
    return std::visit(
        [&](auto const& one) -> std::string {
          using E = std::remove_cvref_t<decltype(one)>;
          if constexpr (std::same_as<E, TrialOpened> || std::same_as<E, TrialUnblinded>) return {};
          else if constexpr (std::same_as<E, UserAdded>) return one.user + ", " + one.full_name;
          else if constexpr (std::same_as<E, Randomised>)
            return fmt::format("allocation {}{}", one.request.number, one.envelope.empty() ? "" : ", envelope " + one.envelope);
          else if constexpr (requires { one.text; one.query; }) return one.query + ": " + text(one.text);
          else if constexpr (std::same_as<E, DeviationRecorded>) return one.found.empty() ? text(one.text) : one.found;
          else return encoded(one);
        },
        event);
  }

  State const& s_;
  Actor const& actor_;
  AuditFilter const& filter_;
  Surroundings const& around_;
  std::vector<AuditRow> rows_;
};

}  // namespace

Expected<std::vector<AuditRow>> audit_trail(State const& state, Actor const& actor, AuditFilter const& filter, Surroundings const& around) {
  return Trail(state, actor, filter, around).make();
}

}  // namespace equipoise::conduct
