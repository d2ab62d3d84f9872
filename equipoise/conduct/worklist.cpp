#include "equipoise/conduct/worklist.h"

#include <algorithm>

namespace equipoise::conduct {
namespace {

constexpr int days_ahead = 28;

class Lister {
 public:
  Lister(State const& state, Role role, std::string const& today) : s_(state), role_(role), today_(to_partial_date(today)->earliest) {}

  void list(Plan const& plan, Participant const& who) {
    const auto add = [&](Task task) {
      task.participant = who.id;
      tasks_.push_back(std::move(task));
    };
    const bool ended = who.end("study_stop") || who.end("death") || who.end("no_further_use") || who.end("lost_to_follow_up") || who.end("completed");
    if (who.consents.empty()) return add({.what = "consent", .state = "due"});
    if (Version const& now = s_.version(); now.new_consent && who.version != now.protocol && !ended)
      add({.what = "consent", .about = now.version, .state = "due"});
    if (who.screening_failed) return;
    for (protocol::Visit const& visit : plan.protocol().visits) {
      const auto took_place = who.visits.find(visit.id);
      if (took_place == who.visits.end()) {
        if (ended) continue;
        if (!who.randomised) {
          if (visit.day.offset() < 0) add({.what = "visit", .about = visit.id, .state = "due"});
          continue;
        }
        const Date start = to_partial_date(who.randomised->date)->earliest;
        const Date target = start + std::chrono::days(visit.day.offset());
        const Date first = target - std::chrono::days(visit.days_before), last = target + std::chrono::days(visit.days_after);
        if (first > today_ + std::chrono::days(days_ahead)) continue;
        add({.what = "visit", .about = visit.id, .from = to_string(first), .due = to_string(target), .until = to_string(last),
             .state = today_ < first ? "upcoming" : today_ <= last ? "due" : "overdue"});
        continue;
      }
      if (took_place->second.empty()) continue;
      for (std::string const& form : visit.forms)
        if (const std::string wanting = unfilled(plan, who, visit.id, form); !wanting.empty())
          add({.what = "form", .about = visit.id + "/" + form, .due = took_place->second, .state = "due"});
    }
    if (!who.randomised && !ended &&
        std::ranges::all_of(plan.protocol().visits, [&](protocol::Visit const& visit) {
          return visit.day.offset() >= 0 || who.visits.contains(visit.id);
        }))
      add({.what = "randomisation", .state = "due"});
    for (auto const& [id, query] : s_.queries)
      if (query.record.participant == who.id && query.state == Query::State::open &&
          !plan.masked(role_, query.item, query.record.visit))
        add({.what = "query", .about = id, .state = "open"});
    for (auto const& [id, dose] : s_.doses)
      if (dose.prepared.participant == who.id && (dose.step == "released" || dose.step == "received"))
        add({.what = "dose", .about = id, .due = dose.prepared.expires, .state = dose.step});
  }

  std::vector<Task> tasks_;

 private:
  /// The first item that the role enters and that has neither a value nor a reason why not; empty: none.
  std::string unfilled(Plan const& plan, Participant const& who, std::string_view visit, std::string const& id) const {
    protocol::Form const* form = plan.protocol().form(id);
    Record const* record = who.find(visit, id, 0);
    for (protocol::Item const& item : form->items) {
      if (plan.masked(role_, item.id, visit) || !plan.enters(role_, item.id, visit)) continue;
      Value const* value = record ? record->find(item.id) : nullptr;
      if (!value || (value->value.empty() && value->text.empty() && value->missing.empty())) return item.id;
    }
    return {};
  }

  State const& s_;
  Role role_;
  Date today_;
};

}  // namespace

std::vector<Task> worklist(Plans const& plans, State const& state, Role role, std::string_view site, std::string const& today) {
  Lister lister(state, role, today);
  for (Participant const& who : state.participants)
    if (site.empty() || who.site == site)
      if (Plan const* plan = plans.find(who.version)) lister.list(*plan, who);
  std::ranges::stable_sort(lister.tasks_, {}, [](Task const& task) { return std::tie(task.participant, task.due); });
  return std::move(lister.tasks_);
}

}  // namespace equipoise::conduct
