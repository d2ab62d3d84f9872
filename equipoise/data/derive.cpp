#include "equipoise/data/derive.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/text.h"
#include "equipoise/data/outcome.h"
#include "equipoise/data/rule_notes.h"

namespace equipoise::data {
namespace {

using expression::Column;
using expression::Occurrences;
using protocol::Endpoint;
using protocol::EndpointKind;

struct Name {
  std::string item, visit;
};

Name split(std::string const& covariate) {
  const auto at = covariate.find('@');
  if (at == std::string::npos) return {covariate, ""};
  return {covariate.substr(0, at), covariate.substr(at + 1)};
}

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
    add_columns();
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
      for (auto const& [form, entries] : records_.entries)
        for (auto const& [item, column] : entries.items) {
          if (column.type != expression::Type::code) continue;
          const auto level = std::ranges::find(column.levels, ice.event);
          if (level == column.levels.end()) continue;
          for (std::size_t row = 0; row < entries.participant.size(); ++row) {
            const std::size_t who = entries.participant[row];
            if (column.code[row] != level - column.levels.begin() || !chosen[who]) continue;
            const expression::Interval date = entries.date.interval(row);
            if (date.missing()) {
              ++undated;
              continue;
            }
            if (date.high < randomised(who))
              return fail(Code::inconsistent, "participant '{}' has the intercurrent event '{}' {} days before randomisation",
                          records_.participants[who], ice.event, shortest(randomised(who) - date.high));
            intercurrent_[who].push_back({std::max(date.low - randomised(who), 0.0), &ice});
            partial += !date.exact();
            ++met;
          }
        }
      std::string note =
          fmt::format("Intercurrent event \"{}\": {} recorded", event_label(ice.event), met == 0 ? "none" : std::to_string(met));
      if (partial > 0) note += fmt::format(", {} of them with a partial date that counts at its earliest day", partial);
      if (undated > 0) note += fmt::format("; {} without a date could not be used", undated);
      made_.notes.push_back(note + ".");
    }
    return {};
  }

  std::string event_label(std::string const& event) const {
    for (protocol::Form const& form : protocol_.forms)
      for (protocol::Item const& item : form.items)
        for (protocol::CodeValue const& code : item.codes)
          if (form.any_time && code.id == event) return code.label.in(protocol_.trial.languages.front());
    return event;
  }

  Expected<void> add_outcome() {
    if (endpoint_.kind != EndpointKind::time_to_event) return add_value();
    return endpoint_.time ? add_measured_time() : add_event_time();
  }

  /// The planned end of follow-up in days since randomisation: as the protocol states it, else its last visit.
  double planned_end(double observed) const {
    if (protocol_.follow_up_days) return *protocol_.follow_up_days;
    double last = 0;
    for (protocol::Visit const& visit : protocol_.visits) last = std::max(last, double(visit.day.offset()));
    return last > 0 ? last : observed;
  }

  /// Time and event are items of the data, whole even when there is a cut-off: they are censored at it here.
  Expected<void> add_measured_time() {
    TrialRecords whole;
    if (records_.cutoff) whole = records_, whole.items = records_.items_before_cutoff;
    const TrialTables before(protocol_, records_.cutoff ? whole : records_);
    const Column time = expression::evaluate(*endpoint_.time, before), event = expression::evaluate(*endpoint_.event, before);
    const double month = protocol_.conventions.month_days;
    const double days = endpoint_.time_unit == "wk"   ? 7.0
                        : endpoint_.time_unit == "mo" ? month
                        : endpoint_.time_unit == "a"  ? 12 * month
                                                      : 1.0;
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
      const FollowUp follow_up{std::min(at, until_cutoff(i)), std::min(planned_end(at), until_cutoff(i))};
      const TimeToEvent seen =
          first_event(event.truth[i] == expression::is_true ? std::optional(at) : std::nullopt, follow_up, intercurrent_[i]);
      time_.push_back(seen.time), event_.push_back(seen.event);
    }
    return {};
  }

  /// The event is in the trial's own records: at visits, or among the entries of a form.
  Expected<void> add_event_time() {
    const std::vector<Occurrences> all = expression::evaluate_moments(*endpoint_.event, tables_);
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
          left_.push_back(missing_number), right_.push_back(missing_number);
        }
        continue;
      }
      const FollowUp follow_up{end, std::min(planned_end(end), until_cutoff(i))};
      if (!every) {
        const TimeToEvent seen =
            first_event(days.empty() ? std::nullopt : std::optional(days.front()), follow_up, intercurrent_[i]);
        rows_.push_back(i), time_.push_back(seen.time), event_.push_back(seen.event);
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

  Expected<void> add_value() {
    std::optional<std::string_view> visit;
    if (!endpoint_.at.empty()) visit = endpoint_.at;
    const bool binary = endpoint_.kind == EndpointKind::binary;  // a truth about a bound is that of the bound
    const Column value = expression::evaluate(*endpoint_.variable, binary ? tables_ : measured_, visit);
    std::int64_t bounded = 0, outside = 0;
    for (const std::size_t i : chosen_) {
      rows_.push_back(i);
      double response = missing_number;
      if (endpoint_.kind == EndpointKind::binary) {
        if (value.truth[i] != expression::is_unknown) response = value.truth[i];
        response =
            response_of(response, visit ? double(protocol_.visit(*visit)->day.offset()) : std::numeric_limits<double>::infinity(),
                        intercurrent_[i]);
      } else {
        const expression::Interval known = value.interval(i);
        if (!known.missing() && !known.exact()) ++bounded;
        if (known.exact()) response = known.low;
        if (visit) response = value_at(response, double(protocol_.visit(*visit)->day.offset()), intercurrent_[i]);
        const double on_scale = transformed(response);
        outside += std::isnan(on_scale) && !std::isnan(response);
        response = on_scale;
      }
      response_.push_back(response);
    }
    if (bounded > 0)
      made_.notes.push_back(bounded == 1
                                ? "1 value is known only as below or above a limit and is left out."
                                : fmt::format("{} values are known only as below or above a limit and are left out.", bounded));
    note_transform(outside);
    return {};
  }

  /// What the scale of the analysis means for its numbers.
  void note_transform(std::int64_t outside) {
    const std::string_view scale = endpoint_.transform == "log"    ? "natural logarithms"
                                   : endpoint_.transform == "sqrt" ? "square roots"
                                                                   : "fourth roots";
    if (endpoint_.transform.empty() || endpoint_.kind == EndpointKind::binary) return;
    if (endpoint_.transform == "log")
      made_.notes.push_back(
          "The response is analysed as its natural logarithm: means are logarithms of geometric means, and a difference is the "
          "logarithm of their ratio.");
    else
      made_.notes.push_back(fmt::format("The response is analysed as its {}: means and differences are on that scale.",
                                        scale.substr(0, scale.size() - 1)));
    if (outside > 0)
      made_.notes.push_back(fmt::format("{} {} no {} and {} left out: {}.", outside, outside == 1 ? "value has" : "values have",
                                        scale.substr(0, scale.size() - 1), outside == 1 ? "is" : "are",
                                        endpoint_.transform == "log" ? "not above 0" : "below 0"));
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

  double transformed(double value) const {
    if (endpoint_.transform == "log") return value > 0 ? std::log(value) : missing_number;
    if (endpoint_.transform == "sqrt") return value >= 0 ? std::sqrt(value) : missing_number;
    if (endpoint_.transform == "fourth_root") return value >= 0 ? std::sqrt(std::sqrt(value)) : missing_number;
    return value;
  }

  void add_columns() {
    std::vector<std::int32_t> who(rows_.size()), arm(rows_.size());
    for (std::size_t r = 0; r < rows_.size(); ++r) who[r] = std::int32_t(rows_[r]), arm[r] = arm_->code[rows_[r]];
    add_codes("participant", std::move(who), records_.participants);
    add_codes("arm", std::move(arm), arm_ids(protocol_));
    if (endpoint_.kind == EndpointKind::time_to_event) {
      if (repeats(endpoint_)) add_numbers("start", std::move(start_));
      add_numbers("time", std::move(time_));
      add_numbers("event", std::move(event_));
      if (recipe_.bounds) add_numbers("left", std::move(left_)), add_numbers("right", std::move(right_));
    } else {
      add_numbers("response", std::move(response_));
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
    const Name name = split(covariate);
    const Column column =
        measured_.variable(name.item, name.visit.empty() ? std::nullopt : std::optional<std::string_view>(name.visit));
    if (column.type == expression::Type::code) {
      std::vector<std::int32_t> codes(rows_.size());
      for (std::size_t r = 0; r < rows_.size(); ++r) codes[r] = column.code[rows_[r]];
      add_codes(covariate, std::move(codes), column.levels);
    } else if (column.type == expression::Type::truth) {
      std::vector<std::int32_t> codes(rows_.size());
      for (std::size_t r = 0; r < rows_.size(); ++r)
        codes[r] = column.truth[rows_[r]] == expression::is_unknown ? missing_level : std::int32_t(column.truth[rows_[r]]);
      add_codes(covariate, std::move(codes), {"false", "true"});
    } else {
      std::vector<double> numbers(rows_.size());
      for (std::size_t r = 0; r < rows_.size(); ++r) {
        const expression::Interval known = column.interval(rows_[r]);
        numbers[r] = known.exact() ? known.low : missing_number;
      }
      add_numbers(covariate, std::move(numbers));
    }
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
  std::vector<double> start_, time_, event_, left_, right_, response_, last_seen_;
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

Schema schema(protocol::Protocol const& protocol, Recipe const& recipe, std::map<std::string, Place> const& written_at,
              Problems& problems) {
  Schema columns{{.name = "participant", .numeric = false}, {.name = "arm", .numeric = false, .levels = arm_ids(protocol)}};
  if (const Endpoint* endpoint = protocol.endpoint(recipe.endpoint)) {
    if (endpoint->kind == EndpointKind::time_to_event) {
      if (repeats(*endpoint)) columns.push_back({.name = "start"});
      columns.push_back({.name = "time"});
      columns.push_back({.name = "event"});
      if (recipe.bounds) columns.push_back({.name = "left"}), columns.push_back({.name = "right"});
    } else {
      columns.push_back({.name = "response"});
    }
  }
  for (std::string const& covariate : recipe.covariates) {
    const Name name = split(covariate);
    const auto written = written_at.find(covariate);
    const Place place = written == written_at.end() ? Place{} : written->second;
    if (name.item == "site" && name.visit.empty()) {
      if (protocol.source && protocol.source->site.empty())
        add_problem(problems, place, Code::missing_column, "'site' is used, and [source] names no column for it");
      std::vector<std::string> sites;
      for (protocol::Site const& site : protocol.sites) sites.push_back(site.id);
      columns.push_back({.name = covariate, .numeric = false, .levels = std::move(sites)});
      continue;
    }
    const protocol::Item* item = protocol.item(name.item);
    const protocol::Derivation* derivation = protocol.derivation(name.item);
    if (!item && !derivation) {
      std::vector<std::string> known{"arm", "site"};
      for (protocol::Form const& form : protocol.forms)
        for (protocol::Item const& one : form.items) known.push_back(one.id);
      Error& error = add_problem(problems, place, Code::unresolved, "there is no item or derivation '{}'", name.item);
      if (const auto near = nearest(name.item, known)) error.hint = fmt::format("did you mean '{}'?", *near);
      continue;
    }
    const protocol::Visit* visit = protocol.visit(name.visit);
    const bool collected = visit && (derivation || std::ranges::find(visit->forms, item->form) != visit->forms.end());
    if (name.visit.empty())
      add_problem(problems, place, Code::missing_key, "say at which visit '{}' is read: '{}@visit'", name.item, name.item);
    else if (!collected)
      add_problem(problems, place, Code::unresolved, "'{}' is not collected at visit '{}'", name.item, name.visit);
    ColumnSchema column{.name = covariate};
    if (item && item->kind == protocol::ItemKind::code) {
      column.numeric = false;
      for (protocol::CodeValue const& code : item->codes) column.levels.push_back(code.id);
    } else if ((item && item->kind == protocol::ItemKind::flag) ||
               (derivation && derivation->rule && derivation->rule.type() == expression::Type::truth)) {
      column.numeric = false;
      column.levels = {"false", "true"};
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace equipoise::data
