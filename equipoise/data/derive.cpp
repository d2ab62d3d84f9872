#include "equipoise/data/derive.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "equipoise/core/text.h"
#include "equipoise/data/outcome.h"
#include "equipoise/data/randomisation.h"
#include "equipoise/data/rule_notes.h"
#include "equipoise/data/visit_values.h"

namespace equipoise::data {
namespace {

using expression::Column;
using expression::Occurrences;
using protocol::Endpoint;
using protocol::EndpointKind;

bool repeats(Endpoint const& endpoint) { return endpoint.event && endpoint.event->gives_several(); }

std::vector<std::string> arm_ids(protocol::Protocol const& protocol) {
  std::vector<std::string> ids;
  for (protocol::Arm const& arm : protocol.arms) ids.push_back(arm.id);
  return ids;
}

/// What is being put together: parallel columns, one row a participant of the set (or one an interval).
class Derivation {
 public:
  Derivation(TrialTables const& tables, Recipe const& recipe)
      : tables_(tables),
        measured_(tables, Limits::as_numbers),
        records_(tables.records()),
        protocol_(tables.protocol()),
        recipe_(recipe),
        endpoint_(*protocol_.endpoint(recipe.endpoint)) {}

  Expected<AnalysisData> make() {
    protocol::AnalysisSet const& set = *protocol_.set(recipe_.set);
    const Membership membership = members(tables_, set);
    if (membership.unknown > 0)
      made_.notes.push_back(fmt::format("Whether {} participant{} in analysis set '{}' is not known; left out.",
                                        membership.unknown, membership.unknown == 1 ? " is" : "s are", set.id));
    arm_ = &records_.arm;
    if (set.as_treated) {
      if (records_.arm_received.code.empty())
        return fail(Code::missing_column, "analysis set '{}' goes by the treatment received, and [source] names no column for it",
                    set.id);
      arm_ = &records_.arm_received;
    }
    for (std::size_t i = 0; i < records_.participants.size(); ++i)
      if (membership.in[i] && arm_->code[i] != missing_level) chosen_.push_back(i);
    made_.participants = std::int64_t(chosen_.size());
    if (chosen_.empty()) return fail(Code::no_data, "no participant is in analysis set '{}'", set.id);
    if (auto collected = collect_intercurrent(); !collected) return tl::unexpected(collected.error());
    if (auto outcome = add_outcome(); !outcome) return tl::unexpected(outcome.error());
    if (recipe_.replay) add_others();
    add_columns();
    if (recipe_.replay) {
      auto columns = randomisation_columns(tables_, rows_, made_.notes);
      if (!columns) return tl::unexpected(columns.error());
      std::ranges::move(*columns, std::back_inserter(columns_));
    }
    add_handling_notes();
    DatasetBuilder builder(rows_.size());
    for (TypedColumn& column : columns_) builder.add(std::move(column));
    auto dataset = builder.build();
    if (!dataset) return tl::unexpected(dataset.error());
    made_.dataset = std::move(*dataset);
    return std::move(made_);
  }

 private:
  double randomised(std::size_t i) const { return records_.randomisation.low[i]; }
  /// Days from randomisation to the data cut-off; infinite without one.
  double until_cutoff(std::size_t i) const {
    return records_.cutoff ? *records_.cutoff - randomised(i) : std::numeric_limits<double>::infinity();
  }

  /// Dated intercurrent events of each participant of the set, with the estimand's strategy.
  Expected<void> collect_intercurrent() {
    intercurrent_.resize(records_.participants.size());
    const protocol::Estimand* estimand = protocol_.estimand(recipe_.estimand);
    if (!estimand) return {};
    std::vector<std::uint8_t> chosen(records_.participants.size(), 0);
    for (const std::size_t i : chosen_) chosen[i] = 1;
    for (protocol::Intercurrent const& ice : estimand->intercurrent) {
      std::int64_t met = 0, undated = 0, partial = 0;
      std::optional<Error> problem;
      for_each_event(ice.event, [&](std::size_t who, expression::Interval const& date) {
        if (!chosen[who] || problem) return;
        if (date.missing()) {
          ++undated;
          return;
        }
        if (date.high < randomised(who)) problem = before_randomisation(who, ice.event, date);
        intercurrent_[who].push_back({std::max(date.low - randomised(who), 0.0), &ice});
        partial += !date.exact();
        ++met;
      });
      if (problem) return tl::unexpected(std::move(*problem));
      std::string note = fmt::format("Intercurrent event \"{}\": {} recorded", event_label(protocol_, ice.event),
                                     met == 0 ? "none" : std::to_string(met));
      if (partial > 0) note += fmt::format(", {} of them with a partial date that counts at its earliest day", partial);
      if (undated > 0) note += fmt::format("; {} without a date could not be used", undated);
      made_.notes.push_back(note + ".");
    }
    return {};
  }

  /// Every entry of a form without a visit that records the event: whose, and its date.
  template <class Take>
  void for_each_event(std::string const& event, Take const& take) const {
    for (auto const& [form, entries] : records_.entries)
      for (auto const& [item, column] : entries.items) {
        if (column.type != expression::Type::code) continue;
        const auto level = std::ranges::find(column.levels, event);
        if (level == column.levels.end()) continue;
        for (std::size_t row = 0; row < entries.participant.size(); ++row)
          if (column.code[row] == level - column.levels.begin()) take(entries.participant[row], entries.date.interval(row));
      }
  }

  Expected<void> add_outcome() {
    if (endpoint_.kind != EndpointKind::time_to_event) return add_values();
    return endpoint_.time ? add_measured_time() : add_event_time();
  }

  /// Time and event are items of the data, whole even when there is a cut-off: they are censored at it here.
  Expected<void> add_measured_time() {
    TrialRecords whole;
    if (records_.cutoff) whole = records_, whole.items = records_.items_before_cutoff;
    const TrialTables before(protocol_, records_.cutoff ? whole : records_);
    const Column time = expression::evaluate(*endpoint_.time, before), event = expression::evaluate(*endpoint_.event, before);
    const double days = days_of_unit(endpoint_, protocol_.conventions);
    for (const std::size_t i : chosen_) {
      const expression::Interval known = time.interval(i);
      const double at = known.low * days;
      if (at < 0)
        return fail(Code::inconsistent, "participant '{}' has the time {} of endpoint '{}', and a time cannot be negative",
                    records_.participants[i], shortest(known.low), endpoint_.id);
      rows_.push_back(i);
      if (!known.exact() || event.truth[i] == expression::is_unknown) {
        time_.push_back(missing_number), event_.push_back(missing_number);
        continue;
      }
      const FollowUp follow_up{std::min(at, until_cutoff(i)), std::min(planned_end(protocol_, at), until_cutoff(i))};
      const TimeToEvent seen =
          first_event(event.truth[i] == expression::is_true ? std::optional(at) : std::nullopt, follow_up, intercurrent_[i]);
      time_.push_back(seen.time), event_.push_back(seen.event);
    }
    return {};
  }

  /// The event is in the trial's own records: at visits, or among the entries of a form.
  Expected<void> add_event_time() {
    const std::vector<Occurrences> all = expression::evaluate_moments(*endpoint_.event, tables_, recipe_.bounds);
    const bool every = repeats(endpoint_), at_visits = endpoint_.event->forms().empty();
    std::int64_t undated = 0, partial = 0, unknown = 0, nobody = 0;
    for (const std::size_t i : chosen_) {
      const double end = follow_up_end(i) - randomised(i);
      undated += std::int64_t(all[i].undated), unknown += std::int64_t(all[i].unknown);
      std::vector<double> days;
      for (expression::Occurrence const& one : all[i].dates) {
        if (one.latest < randomised(i))
          return fail(Code::inconsistent, "participant '{}' has an event of endpoint '{}' {} days before randomisation",
                      records_.participants[i], endpoint_.id, shortest(randomised(i) - one.latest));
        partial += one.earliest != one.latest;
        double day = std::max(one.earliest - randomised(i), 0.0);
        if (at_visits && day > end) day = end;  // the target day of a visit that took place earlier in its window
        days.push_back(day);
      }
      if (std::isnan(end)) {
        ++nobody;
        if (!every) {
          rows_.push_back(i), time_.push_back(missing_number), event_.push_back(missing_number);
          if (recipe_.bounds) left_.push_back(missing_number), right_.push_back(missing_number);
        }
        continue;
      }
      const FollowUp follow_up{end, std::min(planned_end(protocol_, end), until_cutoff(i))};
      if (!every) {
        const TimeToEvent seen =
            first_event(days.empty() ? std::nullopt : std::optional(days.front()), follow_up, intercurrent_[i]);
        rows_.push_back(i), time_.push_back(seen.time), event_.push_back(seen.event);
        if (!recipe_.bounds) continue;
        std::vector<double> without;
        for (const double date : all[i].without)
          if (date >= randomised(i)) without.push_back(std::min(date - randomised(i), end));  // as the event's own day
        std::ranges::sort(without);
        const EventBounds bounds =
            first_event_bounds(days.empty() ? std::nullopt : std::optional(days.front()), without, follow_up, intercurrent_[i]);
        left_.push_back(bounds.left), right_.push_back(bounds.right);
        continue;
      }
      const auto twice = std::ranges::adjacent_find(days);
      if (twice != days.end() || (!days.empty() && days.front() == 0))
        return fail(Code::inconsistent,
                    "participant '{}' has {} on day {} after randomisation, and an interval at risk cannot be empty",
                    records_.participants[i], twice != days.end() ? "two events" : "an event",
                    shortest(twice != days.end() ? *twice : 0.0));
      const std::vector<Interval> intervals = event_intervals(days, follow_up, intercurrent_[i]);
      nobody += intervals.empty();
      for (Interval const& interval : intervals)
        rows_.push_back(i), start_.push_back(interval.start), time_.push_back(interval.stop), event_.push_back(interval.event);
    }
    if (partial > 0) made_.notes.push_back(fmt::format("{} events have a partial date and count at its earliest day.", partial));
    if (undated > 0) made_.notes.push_back(fmt::format("{} events have no date and do not count.", undated));
    if (unknown > 0)
      made_.notes.push_back(
          fmt::format("At {} visits or entries it is not known whether the event happened; they count as without it.", unknown));
    if (every && nobody > 0) made_.notes.push_back(fmt::format("{} participants have no time at risk and are left out.", nobody));
    if (recipe_.bounds)
      made_.notes.push_back(
          "Seen only at visits: the event lies after the last visit known to be without it, up to the first visit with it.");
    else if (at_visits)
      made_.notes.push_back(
          "Seen only at visits, so the true time lies between two visits; the date of the visit stands for it.");
    return {};
  }

  /// Day number on which the participant was last seen: what the source says, else the last visit or entry.
  double follow_up_end(std::size_t i) {
    if (records_.follow_up_known) return records_.follow_up_end[i];
    if (last_seen_.empty()) {
      last_seen_ = records_.randomisation.low;
      for (protocol::Visit const& visit : protocol_.visits) {
        const Column date = tables_.visit_date(visit.id);
        for (std::size_t p = 0; p < date.size(); ++p) last_seen_[p] = std::fmax(last_seen_[p], date.low[p]);
      }
      for (auto const& [form, entries] : records_.entries)
        for (std::size_t row = 0; row < entries.participant.size(); ++row)
          last_seen_[entries.participant[row]] = std::fmax(last_seen_[entries.participant[row]], entries.date.low[row]);
    }
    return last_seen_[i];
  }

  Expected<void> add_values() {
    const bool binary = endpoint_.kind == EndpointKind::binary;  // a truth about a bound is that of the bound
    const VisitValues values(binary ? tables_ : measured_, endpoint_, visits_read(endpoint_, recipe_));
    ResponseTally tally(protocol_, endpoint_, values.visits(), recipe_.by_visit(), recipe_.carry_forward);
    if (auto found = find_event_day(); !found) return found;
    const std::size_t last = std::max<std::size_t>(values.visits().size(), 1) - 1;
    for (const std::size_t i : chosen_) {
      bool after = false;  // once after the event, always after it
      for (std::size_t v = recipe_.by_visit() ? 0 : last; v <= last; ++v) {
        const Response response =
            recipe_.carry_forward ? values.carried_forward(i, v, intercurrent_[i]) : values.at(i, v, intercurrent_[i]);
        rows_.push_back(i), visit_.push_back(std::int32_t(v));
        response_.push_back(response.value);
        why_missing_.push_back(!std::isnan(response.value)          ? Missing::none
                               : response.origin == Origin::not_due ? Missing::after_cutoff
                               : response.because                   ? Missing::after_intercurrent_event
                                                                    : Missing::not_recorded);
        day_.push_back(values.day(i, v));
        if (recipe_.ice) {
          after = after || values.is_after(i, v, event_day_[i], !std::isnan(response.value));
          ice_.push_back(after);
        }
        tally.add(i, response);
      }
    }
    for (std::string& note : tally.notes()) made_.notes.push_back(std::move(note));
    note_event();
    if (!recipe_.common_baseline.empty())
      made_.notes.push_back(fmt::format("Constrained baseline: {} is a response too, with one mean for all arms.",
                                        protocol_.visit(recipe_.visits.front())->label.in(protocol_.trial.languages.front())));
    return {};
  }

  /// The first day of an event of `ice`, whatever an estimand says of it, and which it is; infinite for those who have none.
  Expected<void> find_event_day() {
    const std::vector<std::string> events = recipe_.events();
    event_day_.assign(records_.participants.size(), std::numeric_limits<double>::infinity());
    reason_.assign(records_.participants.size(), std::int32_t(events.size()));
    std::vector<std::uint8_t> chosen(records_.participants.size(), 0);
    for (const std::size_t i : chosen_) chosen[i] = 1;
    std::optional<Error> problem;
    for (std::size_t e = 0; e < events.size(); ++e)
      for_each_event(events[e], [&](std::size_t who, expression::Interval const& date) {
        if (!chosen[who] || problem) return;
        if (date.missing()) ++undated_after_;
        else if (date.high < randomised(who)) problem = before_randomisation(who, events[e], date);
        else if (const double day = std::max(date.low - randomised(who), 0.0); day < event_day_[who])
          event_day_[who] = day, reason_[who] = std::int32_t(e);  // of two on one day the one named first
      });
    if (problem) return tl::unexpected(std::move(*problem));
    return {};
  }

  Error before_randomisation(std::size_t who, std::string const& event, expression::Interval const& date) const {
    return {Code::inconsistent,
            fmt::format("participant '{}' has the intercurrent event '{}' {} days before randomisation",
                        records_.participants[who], event, shortest(randomised(who) - date.high)),
            {},
            {}};
  }

  void note_event() {
    const std::vector<std::string> events = recipe_.events();
    if (events.empty()) return;
    std::vector<std::int64_t> people(events.size() + 1, 0);
    for (const std::size_t i : chosen_) ++people[std::size_t(reason_[i])];
    std::int64_t visits = 0, missing_before = 0;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      visits += ice_[r] == 1;
      missing_before += ice_[r] == 0 && std::isnan(response_[r]);
    }
    std::vector<std::string> counts;
    for (std::size_t e = 0; e < events.size(); ++e)
      counts.push_back(fmt::format("\"{}\": {} participant{} with it{}", event_label(protocol_, events[e]), people[e],
                                   people[e] == 1 ? "" : "s", events.size() > 1 ? " first" : ""));
    made_.notes.push_back(fmt::format("{}, {} visit{} after it; {} response{} missing elsewhere.", join(counts, ", "), visits,
                                      visits == 1 ? "" : "s", missing_before, missing_before == 1 ? " is" : "s are"));
    if (undated_after_ > 0)
      made_.notes.push_back(fmt::format("{} such event{} no date: nothing is taken to lie after {}.", undated_after_,
                                        undated_after_ == 1 ? " has" : "s have", undated_after_ == 1 ? "it" : "them"));
  }

  /// Those who were randomised and are not in the set: rows without a value.
  void add_others() {
    std::vector<std::uint8_t> chosen(records_.participants.size(), 0);
    for (const std::size_t i : chosen_) chosen[i] = 1;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i] || arm_->code[i] == missing_level) continue;
      rows_.push_back(i);
      if (endpoint_.kind == EndpointKind::time_to_event) {
        time_.push_back(missing_number), event_.push_back(missing_number);
        left_.push_back(missing_number), right_.push_back(missing_number);
      } else {
        response_.push_back(missing_number), why_missing_.push_back(Missing::not_applicable);
      }
    }
  }

  /// Rules of data handling that touch the columns: which value counts, what baseline is, values beyond a limit.
  void add_handling_notes() {
    const std::vector<ItemAtVisit> read = read_by(protocol_, recipe_);
    for (std::string& note : handling_notes(tables_, read, chosen_)) made_.notes.push_back(std::move(note));
    // Truths and measured times see limits as bounds: only what is read as a number counts as one.
    Recipe numbers = recipe_;
    if (endpoint_.kind == EndpointKind::time_to_event || endpoint_.kind == EndpointKind::binary) numbers.endpoint.clear();
    std::erase_if(numbers.covariates, [&](std::string const& name) {
      const auto column = std::ranges::find(columns_, name, &TypedColumn::name);
      return column == columns_.end() || !is_numeric(column->kind);
    });
    for (std::string& note : limit_notes(tables_, read_by(protocol_, numbers), chosen_)) made_.notes.push_back(std::move(note));
  }

  void add_columns() {
    std::vector<std::int32_t> who(rows_.size()), arm(rows_.size());
    for (std::size_t r = 0; r < rows_.size(); ++r) who[r] = std::int32_t(rows_[r]), arm[r] = arm_->code[rows_[r]];
    add_codes("participant", std::move(who), records_.participants);
    if (std::string const& control = recipe_.common_baseline; !control.empty()) {
      const auto place = std::ranges::find(arm_->levels, control) - arm_->levels.begin();
      std::vector<std::int32_t> in_model = arm;
      for (std::size_t r = 0; r < rows_.size(); ++r)
        if (visit_[r] == 0) in_model[r] = std::int32_t(place);
      add_codes("arm", std::move(in_model), arm_ids(protocol_));
      add_codes("assigned_arm", std::move(arm), arm_ids(protocol_));
    } else {
      add_codes("arm", std::move(arm), arm_ids(protocol_));
    }
    if (recipe_.by_visit()) add_codes("visit", visit_, recipe_.visits);
    if (endpoint_.kind == EndpointKind::time_to_event) {
      if (repeats(endpoint_)) add_numbers("start", std::move(start_));
      add_numbers("time", std::move(time_));
      add_numbers("event", std::move(event_));
      if (recipe_.bounds) add_numbers("left", std::move(left_)), add_numbers("right", std::move(right_));
    } else {
      columns_.push_back({.name = "response", .numbers = std::move(response_), .missing = std::move(why_missing_)});
    }
    if (recipe_.ice) add_numbers("ice", std::move(ice_));
    if (!recipe_.reasons.empty()) {
      std::vector<std::string> levels = recipe_.events();
      levels.emplace_back(no_event);
      std::vector<std::int32_t> codes;
      for (const std::size_t i : rows_) codes.push_back(reason_[i]);
      add_codes("ice_reason", std::move(codes), std::move(levels));
    }
    for (std::string const& covariate : recipe_.covariates) add_covariate(covariate);
  }

  void add_numbers(std::string name, std::vector<double> numbers) {
    columns_.push_back({.name = std::move(name), .numbers = std::move(numbers)});
  }
  void add_codes(std::string name, std::vector<std::int32_t> codes, std::vector<std::string> levels) {
    columns_.push_back({.name = std::move(name), .kind = Kind::code, .codes = std::move(codes), .levels = std::move(levels)});
  }

  void add_covariate(std::string const& covariate) {
    const CovariateName name = covariate_name(covariate);
    std::vector<double> numbers;
    if (recipe_.by_visit() && name.visit.empty() && name.item == "visit_day") {
      numbers = day_;
    } else if (recipe_.by_visit() && name.visit.empty() && name.item == "target_day") {
      for (const std::int32_t v : visit_) numbers.push_back(protocol_.visit(recipe_.visits[std::size_t(v)])->day.offset());
    } else {
      add_item(covariate, name);
      return;
    }
    add_transformed(covariate, name, std::move(numbers));
  }

  /// An item or derivation: at its own visit, or without one at the visit of each row.
  void add_item(std::string const& covariate, CovariateName const& name) {
    std::vector<Column> at;
    if (recipe_.by_visit() && name.visit.empty() && name.item != "site")
      for (std::string const& visit : recipe_.visits) at.push_back(measured_.variable(name.item, visit));
    else
      at.push_back(
          measured_.variable(name.item, name.visit.empty() ? std::nullopt : std::optional<std::string_view>(name.visit)));
    const auto column_of = [&](std::size_t r) -> Column const& {
      return at.size() == 1 ? at.front() : at[std::size_t(visit_[r])];
    };
    std::vector<std::int32_t> codes(rows_.size());
    if (at.front().type == expression::Type::code) {
      for (std::size_t r = 0; r < rows_.size(); ++r) codes[r] = column_of(r).code[rows_[r]];
      add_codes(covariate, std::move(codes), at.front().levels);
    } else if (at.front().type == expression::Type::truth) {
      for (std::size_t r = 0; r < rows_.size(); ++r) {
        const std::uint8_t truth = column_of(r).truth[rows_[r]];
        codes[r] = truth == expression::is_unknown ? missing_level : std::int32_t(truth);
      }
      add_codes(covariate, std::move(codes), {"false", "true"});
    } else {
      std::vector<double> numbers(rows_.size());
      for (std::size_t r = 0; r < rows_.size(); ++r) {
        const expression::Interval known = column_of(r).interval(rows_[r]);
        numbers[r] = known.exact() ? known.low : missing_number;
      }
      add_transformed(covariate, name, std::move(numbers));
    }
  }

  void add_transformed(std::string const& covariate, CovariateName const& name, std::vector<double> numbers) {
    std::int64_t outside = 0;
    for (double& number : numbers) {
      const double given = number;
      if (name.transform == "log") number = given > 0 ? std::log(given) : missing_number;
      if (name.transform == "sqrt") number = given >= 0 ? std::sqrt(given) : missing_number;
      outside += std::isnan(number) && !std::isnan(given);
    }
    if (outside > 0)
      made_.notes.push_back(fmt::format("{} row{} no {}: the value is {}.", outside, outside == 1 ? " has" : "s have", covariate,
                                        name.transform == "log" ? "not above 0" : "below 0"));
    add_numbers(covariate, std::move(numbers));
  }

  TrialTables const& tables_;
  TrialTables measured_;  // numbers in place of bounds, where the protocol has a rule
  TrialRecords const& records_;
  protocol::Protocol const& protocol_;
  Recipe const& recipe_;
  Endpoint const& endpoint_;
  Column const* arm_ = nullptr;
  AnalysisData made_;
  std::vector<TypedColumn> columns_;
  std::vector<std::size_t> chosen_;  // participants of the set
  std::vector<std::size_t> rows_;    // of each row: its participant
  std::vector<std::int32_t> visit_;  // of each row of a response: its place among the visits
  std::vector<double> start_, time_, event_, left_, right_, response_, ice_, day_, last_seen_;
  std::vector<Missing> why_missing_;
  std::vector<double> event_day_;     // of each participant: of the first event of `ice`
  std::vector<std::int32_t> reason_;  // and which of them it is; their number when there is none
  std::int64_t undated_after_ = 0;
  std::vector<std::vector<Intercurrence>> intercurrent_;
};

}  // namespace

Membership members(TrialTables const& tables, protocol::AnalysisSet const& set) {
  const Column rule = expression::evaluate(set.rule, tables);
  Membership membership;
  for (const std::uint8_t truth : rule.truth) {
    membership.in.push_back(truth == expression::is_true);
    membership.unknown += truth == expression::is_unknown;
  }
  return membership;
}

Expected<AnalysisData> analysis_dataset(TrialTables const& tables, Recipe const& recipe) {
  return Derivation(tables, recipe).make();
}

}  // namespace equipoise::data
