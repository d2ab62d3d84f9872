#include "equipoise/conduct/eligibility.h"

#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/data/randomisation.h"
#include "equipoise/protocol/factors.h"

namespace equipoise::conduct {
namespace {

/// The items of an expression without a value, each with its visit.
std::vector<std::string> missing_items(expression::Expression const& rule, data::TrialRecords const& records) {
  std::vector<std::string> missing;
  for (std::string const& variable : rule.variables()) {
    const std::size_t at = variable.find('@');
    if (at == std::string::npos) continue;
    const auto found = records.items.find({variable.substr(0, at), variable.substr(at + 1)});
    if (found != records.items.end() && found->second.missing(0)) missing.push_back(variable);
  }
  return missing;
}

class Judge {
 public:
  Judge(Plan const& plan, State const& state, Participant const& who, std::string const& today)
      : plan_(plan), p_(plan.protocol()), state_(state), who_(who), today_(today) {}

  Readiness judge() {
    Participant const* const only[] = {&who_};
    data::TrialRecords records = to_records(plan_, only);
    const auto date = to_partial_date(today_);
    expects(date && date->exact(), "today is a date");
    if (!who_.randomised) {  // as if it were done today
      records.randomisation.low[0] = day_number(date->earliest);
      records.randomisation_order[0] = 1;
    }
    const data::TrialTables tables(p_, records);
    for (protocol::Criterion const& criterion : p_.criteria) made_.criteria.push_back(answer(criterion, tables, records));
    factors(tables, records);
    people();
    return std::move(made_);
  }

 private:
  void reason(std::string sentence) { made_.reasons.push_back(std::move(sentence)); }

  CriterionAnswer answer(protocol::Criterion const& criterion, data::TrialTables const& tables, data::TrialRecords const& records) {
    const expression::Column truth = expression::evaluate(criterion.rule, tables);
    CriterionAnswer made{.id = criterion.id, .inclusion = criterion.inclusion};
    if (truth.truth[0] == expression::is_unknown) {
      made.missing = missing_items(criterion.rule, records);
      reason(fmt::format("criterion '{}' cannot be judged: {} {} missing", criterion.id,
                         made.missing.empty() ? "something it needs" : one_of(made.missing, "and"), made.missing.size() > 1 ? "are" : "is"));
    } else if ((truth.truth[0] == expression::is_true) == criterion.inclusion) {
      made.answer = CriterionAnswer::Answer::met;
    } else {
      made.answer = CriterionAnswer::Answer::not_met;
      reason(fmt::format("{} criterion '{}' is {}: {}", criterion.inclusion ? "inclusion" : "exclusion", criterion.id,
                         criterion.inclusion ? "not met" : "met", criterion.text.in("en")));
    }
    return made;
  }

  void factors(data::TrialTables const& tables, data::TrialRecords const& records) {
    std::vector<std::string> notes;
    const std::size_t first[] = {0};
    const auto columns = data::randomisation_columns(tables, first, notes);
    if (!columns) {
      for (protocol::RandomisationFactor const& factor : p_.randomisation_factors)
        if (factor.rule)
          if (const auto missing = missing_items(*factor.rule, records); !missing.empty())
            reason(fmt::format("the randomisation factor '{}' is not known: {} {} missing", factor.id, one_of(missing, "and"),
                               missing.size() > 1 ? "are" : "is"));
      if (made_.reasons.empty()) reason("a randomisation factor is not known");
      return;
    }
    for (std::size_t f = 1; f < columns->size(); ++f) {
      made_.levels.push_back((*columns)[f].codes[0]);
      made_.factors.push_back((*columns)[f].levels[std::size_t(made_.levels.back())]);
    }
  }

  void people() {
    if (who_.randomised) reason(fmt::format("participant '{}' is randomised already", who_.id));
    if (who_.screening_failed) reason("this screening has failed; a new one must be started");
    if (who_.consents.empty()) {
      reason("there is no consent");
    } else if (Consented const& last = who_.consents.back(); last.version != state_.version().protocol && state_.version().new_consent) {
      reason(fmt::format("the consent is to an earlier version of the protocol, and version {} asks for a new one",
                         state_.version().version));
    } else if (last.date > today_) {
      reason(fmt::format("the consent is dated {}, after today", last.date));
    }
    for (std::string_view what : {"study_stop", "lost_to_follow_up", "no_further_use", "death"})
      if (Discontinued const* end = who_.end(what)) reason(fmt::format("'{}' is recorded, on {}", what, end->date));
    if (state_.paused.contains("")) reason("enrolment is paused");
    else if (state_.paused.contains(who_.site)) reason("enrolment at this site is paused");
    if (state_.locked) reason("the trial is locked");
    const auto site = std::ranges::find(p_.sites, who_.site, &protocol::Site::id);
    const auto there = state_.randomised.find(who_.site);
    const std::int64_t randomised = there == state_.randomised.end() ? 0 : there->second;
    if (site != p_.sites.end() && site->cap && randomised >= *site->cap)
      reason(fmt::format("site '{}' has randomised {} participants, its cap", who_.site, randomised));
    if (std::ranges::any_of(state_.queries, [&](auto const& entry) {
          Query const& query = entry.second;
          return query.record.participant == who_.id && query.state != Query::State::closed && blocks(query);
        }))
      reason("a query on a value that the randomisation rests on is open");
  }

  /// Whether a query is on an item that criteria or factors read.
  bool blocks(Query const& query) const {
    const auto reads = [&](expression::Expression const& rule) {
      return std::ranges::any_of(rule.variables(), [&](std::string const& variable) {
        return variable == query.item + "@" + query.record.visit;
      });
    };
    return std::ranges::any_of(p_.criteria, [&](protocol::Criterion const& c) { return reads(c.rule); }) ||
           std::ranges::any_of(p_.randomisation_factors,
                               [&](protocol::RandomisationFactor const& f) { return f.rule && reads(*f.rule); });
  }

  Plan const& plan_;
  protocol::Protocol const& p_;
  State const& state_;
  Participant const& who_;
  std::string const& today_;
  Readiness made_{};
};

}  // namespace

Readiness readiness(Plan const& plan, State const& state, Participant const& who, std::string const& today) {
  return Judge(plan, state, who, today).judge();
}

}  // namespace equipoise::conduct
