#include "equipoise/simulate/derivation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/data/visit_values.h"

namespace equipoise::simulate {

using data::Intercurrence;

/// One participant's measured responses, for the strategies.
struct CompiledDerivation::OfOne {
  CompiledDerivation const& all;
  Scratch const& scratch;
  std::size_t who;

  data::Response at(std::size_t visit) const {
    const double value = scratch.workspace_.output(all.values_[visit])[who];
    return {value, std::isnan(value) ? data::Origin::not_measured : data::Origin::measured};
  }
  double day(std::size_t visit) const {
    if (all.days_.empty()) return all.target_[visit];
    const bool attended = std::ranges::any_of(all.recorded_[visit],
                                              [&](Output output) { return !std::isnan(scratch.workspace_.output(output)[who]); });
    return attended ? scratch.workspace_.output(all.days_[visit])[who] : all.target_[visit];
  }
  bool after_randomisation(std::size_t visit) const { return all.target_[visit] > 0; }
};

std::span<const Intercurrence> CompiledDerivation::intercurrent(Scratch const& scratch, std::size_t who) const {
  if (scratch.intercurrent_.empty()) return {};
  return {scratch.intercurrent_.data() + scratch.first_[who], scratch.first_[who + 1] - scratch.first_[who]};
}

std::size_t CompiledDerivation::place(Kind kind) const {
  return std::size_t(std::ranges::find(columns_, kind, &Column::kind) - columns_.begin());
}

void CompiledDerivation::choose(VirtualTrial const& trial, Scratch& scratch) const {
  std::int32_t const* arm = (as_treated_ ? trial.arm_received : trial.arm).data();
  double const* member = scratch.workspace_.output(member_);
  scratch.chosen_.resize(trial.n);
  scratch.in_set_.resize(trial.n);
  std::uint8_t* in_set = scratch.in_set_.data();
  for (std::size_t i = 0; i < trial.n; ++i) in_set[i] = arm[i] != missing_level;
  if (!everybody_)
    for (std::size_t i = 0; i < trial.n; ++i) in_set[i] &= member[i] == 1;
  std::size_t n = 0;
  std::uint32_t* chosen = scratch.chosen_.data();
  for (std::size_t i = 0; i < trial.n; ++i) chosen[n] = std::uint32_t(i), n += in_set[i];
  scratch.chosen_.resize(n);
}

/// Whose entry records the event, and when: days since randomisation, or NaN.
template <class Take>
void CompiledDerivation::for_each_event(Wanted const& wanted, VirtualTrial const& trial, Take const& take) const {
  for (Event const& event : wanted.events) {
    VirtualTrial::Entries const& entries = trial.entries[event.form];
    double const* code = entries.items[event.item].data();
    for (std::size_t row = 0; row < entries.participant.size(); ++row)
      if (code[row] == event.level) take(entries.participant[row], entries.date[row]);
  }
}

/// False when an event lies before randomisation.
bool CompiledDerivation::collect_intercurrent(VirtualTrial const& trial, Scratch& scratch) const {
  scratch.found_.clear(), scratch.intercurrent_.clear();
  bool good = true;
  for (Wanted const& wanted : strategies_)
    for_each_event(wanted, trial, [&](std::uint32_t who, double day) {
      if (!scratch.in_set_[who] || std::isnan(day)) return;
      good = good && day >= 0;
      scratch.found_.push_back({who, {day + 0.0, wanted.strategy}});
    });
  if (scratch.found_.empty() || !good) return good;
  scratch.first_.assign(trial.n + 1, 0);
  for (Scratch::Found const& one : scratch.found_) ++scratch.first_[one.who + 1];
  for (std::size_t i = 0; i < trial.n; ++i) scratch.first_[i + 1] += scratch.first_[i];
  scratch.intercurrent_.resize(scratch.found_.size());
  // Backwards, so that those of one participant stay in order; then by day, those of one day as they stand.
  for (std::size_t k = scratch.found_.size(); k-- > 0;) {
    Scratch::Found const& one = scratch.found_[k];
    scratch.intercurrent_[--scratch.first_[one.who + 1]] = one.event;
  }
  for (std::size_t i = 0; i < trial.n; ++i) scratch.first_[i] = scratch.first_[i + 1];
  scratch.first_[trial.n] = std::uint32_t(scratch.found_.size());
  for (std::size_t i = 0; i < trial.n; ++i)
    for (std::size_t k = scratch.first_[i] + 1; k < scratch.first_[i + 1]; ++k)
      for (std::size_t at = k; at > scratch.first_[i] && scratch.intercurrent_[at].day < scratch.intercurrent_[at - 1].day; --at)
        std::swap(scratch.intercurrent_[at], scratch.intercurrent_[at - 1]);
  return true;
}

/// The first day of an event of `ice`, and which it is.
bool CompiledDerivation::find_event_day(VirtualTrial const& trial, Scratch& scratch) const {
  scratch.event_day_.assign(trial.n, std::numeric_limits<double>::infinity());
  scratch.reason_.assign(trial.n, std::int32_t(ice_.size()));
  bool good = true;
  for (std::size_t e = 0; e < ice_.size(); ++e)
    for_each_event(ice_[e], trial, [&](std::uint32_t who, double day) {
      if (!scratch.in_set_[who] || std::isnan(day)) return;
      good = good && day >= 0;
      if (day < scratch.event_day_[who]) scratch.event_day_[who] = day, scratch.reason_[who] = std::int32_t(e);
    });
  return good;
}

/// Time and event are items of the data.
bool CompiledDerivation::measured_times(Scratch& scratch) const {
  std::vector<double>&times = scratch.numbers_[place(Kind::time)], &events = scratch.numbers_[place(Kind::event)];
  double const *time = scratch.workspace_.output(time_), *event = scratch.workspace_.output(event_);
  if (scratch.intercurrent_.empty()) {  // follow-up ends with the time itself
    const std::size_t n = scratch.chosen_.size();
    times.resize(n), events.resize(n);
    std::size_t negative = 0;
    double *out = times.data(), *happened = events.data();
    std::uint32_t const* who = scratch.chosen_.data();
    const auto fill = [&](auto const& row) {
      for (std::size_t c = 0; c < n; ++c) {
        const double at = time[row(c)] * days_of_unit_, truth = event[row(c)];
        const bool known = (at == at) & (truth == truth);
        negative += at < 0;
        out[c] = known ? at : missing_number;
        happened[c] = !known ? missing_number : truth == 1 ? 1.0 : 0.0;
      }
    };
    if (n == scratch.in_set_.size()) fill([](std::size_t c) { return c; });
    else fill([&](std::size_t c) { return who[c]; });
    return negative == 0;
  }
  times.clear(), events.clear();
  for (const std::uint32_t i : scratch.chosen_) {
    const double at = time[i] * days_of_unit_;
    if (at < 0) return false;
    if (std::isnan(time[i]) || std::isnan(event[i])) {
      times.push_back(missing_number), events.push_back(missing_number);
      continue;
    }
    const data::TimeToEvent seen = data::first_event(event[i] == 1 ? std::optional(at) : std::nullopt,
                                                     {at, data::planned_end(*protocol_, at)}, intercurrent(scratch, i));
    times.push_back(seen.time), events.push_back(seen.event);
  }
  return true;
}

/// The event is in the trial's own records: at visits, or among the entries of a form.
bool CompiledDerivation::event_times(VirtualTrial const& trial, Scratch& scratch) const {
  std::vector<double>&times = scratch.numbers_[place(Kind::time)], &events = scratch.numbers_[place(Kind::event)];
  std::vector<double>* left = recipe_.bounds ? &scratch.numbers_[place(Kind::left)] : nullptr;
  std::vector<double>* right = recipe_.bounds ? &scratch.numbers_[place(Kind::right)] : nullptr;
  times.clear(), events.clear();
  if (left) left->clear(), right->clear();
  double const* first = scratch.workspace_.output(event_);
  const double planned = data::planned_end(*protocol_, missing_number);  // missing: when follow-up ended
  for (const std::uint32_t i : scratch.chosen_) {
    const double end = trial.follow_up_end[i] + 0.0;
    if (first[i] < 0) return false;
    std::optional<double> day;
    if (!std::isnan(first[i])) day = event_at_visits_ && first[i] > end ? end : first[i] + 0.0;
    if (std::isnan(end)) {
      times.push_back(missing_number), events.push_back(missing_number);
      if (left) left->push_back(missing_number), right->push_back(missing_number);
      continue;
    }
    const data::FollowUp follow_up{end, std::isnan(planned) ? end : planned};
    const std::span<const Intercurrence> own = intercurrent(scratch, i);
    const data::TimeToEvent seen = data::first_event(day, follow_up, own);
    times.push_back(seen.time), events.push_back(seen.event);
    if (!left) continue;
    scratch.without_.clear();
    for (auto const& [truth, day_of] : seen_) {
      const double seen_true = scratch.workspace_.output(truth)[i];
      if (seen_true == 1) break;
      const double date = scratch.workspace_.output(day_of)[i];
      if (seen_true == 0 && date >= 0) scratch.without_.push_back(std::min(date + 0.0, end));
    }
    if (!std::ranges::is_sorted(scratch.without_)) std::ranges::sort(scratch.without_);
    const data::EventBounds bounds = data::first_event_bounds(day, scratch.without_, follow_up, own);
    left->push_back(bounds.left), right->push_back(bounds.right);
  }
  return true;
}

void CompiledDerivation::responses(Scratch& scratch) const {
  std::vector<double>& response = scratch.numbers_[place(Kind::response)];
  const std::size_t own_rows = rows_of_one(), from = visits() - own_rows;
  response.resize(scratch.chosen_.size() * own_rows);
  const bool as_measured = endpoint_->transform.empty() || endpoint_->kind == protocol::EndpointKind::binary;
  for (std::size_t v = from; v < visits(); ++v) {
    double const* value = scratch.workspace_.output(scaled_.empty() ? values_[v] : scaled_[v]);
    std::uint32_t const* who = scratch.chosen_.data();
    double* out = response.data() + (v - from);
    for (std::size_t c = 0; c < scratch.chosen_.size(); ++c, out += own_rows) *out = value[who[c]];
  }
  if (!as_measured && scaled_.empty())
    for (double& each : response) each = data::on_scale(*endpoint_, {each, data::Origin::measured}).value;
  if (scratch.intercurrent_.empty() && !recipe_.carry_forward) return;
  for (std::size_t c = 0; c < scratch.chosen_.size(); ++c) {
    const std::size_t who = scratch.chosen_[c];
    const std::span<const Intercurrence> own = intercurrent(scratch, who);
    if (own.empty() && !recipe_.carry_forward) continue;
    const OfOne measured{*this, scratch, who};
    for (std::size_t v = from; v < visits(); ++v)
      response[c * own_rows + (v - from)] = (recipe_.carry_forward ? data::carried_forward(*endpoint_, measured, v, own)
                                                                   : data::response_at(*endpoint_, measured, v, own))
                                                .value;
  }
}

/// An item: one value a participant, or one a visit.
void CompiledDerivation::fill_item(Column const& column, std::size_t place, Scratch& scratch) const {
  const std::size_t own_rows = rows_of_one(), people = scratch.chosen_.size();
  std::uint32_t const* who = scratch.chosen_.data();
  const auto spread = [&](auto* out, auto const& cell) {
    if (column.from.size() == 1) {
      double const* value = scratch.workspace_.output(column.from.front());
      for (std::size_t c = 0; c < people; ++c, out += own_rows) std::fill_n(out, own_rows, cell(value[who[c]]));
      return;
    }
    for (std::size_t v = 0; v < own_rows; ++v) {
      double const* value = scratch.workspace_.output(column.from[v]);
      for (std::size_t c = 0; c < people; ++c) out[c * own_rows + v] = cell(value[who[c]]);
    }
  };
  if (schema_[place].numeric) {
    scratch.numbers_[place].resize(people * own_rows);
    spread(scratch.numbers_[place].data(), [](double number) { return number; });
  } else {
    scratch.codes_[place].resize(people * own_rows);
    spread(scratch.codes_[place].data(), [](double code) { return std::isnan(code) ? missing_level : std::int32_t(code); });
  }
}

void CompiledDerivation::fill(Column const& column, std::size_t place, VirtualTrial const& trial, Scratch& scratch) const {
  const std::size_t own_rows = rows_of_one(), rows = scratch.chosen_.size() * own_rows;
  std::vector<double>& numbers = scratch.numbers_[place];
  std::vector<std::int32_t>& codes = scratch.codes_[place];
  const auto code_rows = [&](auto const& code) {
    codes.resize(rows);
    std::int32_t* out = codes.data();
    for (const std::uint32_t who : scratch.chosen_)
      for (std::size_t v = 0; v < own_rows; ++v) *out++ = code(who, v);
  };
  const auto number_rows = [&](auto const& number) {
    numbers.resize(rows);
    double* out = numbers.data();
    for (const std::uint32_t who : scratch.chosen_)
      for (std::size_t v = 0; v < own_rows; ++v) *out++ = number(who, v);
  };
  std::int32_t const* arm = (as_treated_ ? trial.arm_received : trial.arm).data();
  switch (column.kind) {
    case Kind::participant:
      code_rows([](std::uint32_t who, std::size_t) { return std::int32_t(who); });
      while (scratch.names_.size() < trial.n) scratch.names_.push_back(std::to_string(scratch.names_.size() + 1));
      break;
    case Kind::arm:
      code_rows([&](std::uint32_t who, std::size_t) { return arm[who]; });
      break;
    case Kind::model_arm:
      code_rows([&](std::uint32_t who, std::size_t v) { return v == 0 ? control_ : arm[who]; });
      break;
    case Kind::visit:
      code_rows([](std::uint32_t, std::size_t v) { return std::int32_t(v); });
      break;
    case Kind::ice: {
      std::vector<double> const& response = scratch.numbers_[this->place(Kind::response)];
      std::size_t row = 0;
      bool after = false;
      number_rows([&](std::uint32_t who, std::size_t v) {
        after = (v > 0 && after) ||
                data::is_after(OfOne{*this, scratch, who}, v + visits() - own_rows, window_end_[v + visits() - own_rows],
                               scratch.event_day_[who], !std::isnan(response[row]));
        ++row;
        return after ? 1.0 : 0.0;
      });
      break;
    }
    case Kind::reason:
      code_rows([&](std::uint32_t who, std::size_t) { return scratch.reason_[who]; });
      break;
    case Kind::visit_day:
      number_rows([&](std::uint32_t who, std::size_t v) { return OfOne{*this, scratch, who}.day(v) + 0.0; });
      break;
    case Kind::target_day:
      number_rows([&](std::uint32_t, std::size_t v) { return target_[v]; });
      break;
    case Kind::item:
      fill_item(column, place, scratch);
      break;
    case Kind::time:
    case Kind::event:
    case Kind::left:
    case Kind::right:
    case Kind::response:
      break;  // filled with the outcome
  }
  if (column.transform == "log")
    for (double& number : numbers) number = number > 0 ? std::log(number) : missing_number;
  if (column.transform == "sqrt")
    for (double& number : numbers) number = number >= 0 ? std::sqrt(number) : missing_number;
}

void CompiledDerivation::mark(Reads& reads) const {
  for (std::size_t c = 0; c < reads.cells.size(); ++c) reads.cells[c] |= program_.reads_array(arrays_.cell(c));
  for (std::size_t f = 0; f < reads.forms.size(); ++f)
    reads.forms[f] |= program_.uses(expression::flat::Space(f + 1)) || program_.reads_array(arrays_.entry_date(f));
  for (auto const* all : {&strategies_, &ice_})
    for (Wanted const& wanted : *all)
      for (Event const& event : wanted.events) reads.forms[event.form] = 1;
}

std::optional<DatasetView> CompiledDerivation::run(VirtualTrial const& trial, Scratch& scratch) const {
  arrays_.fill(trial, scratch.arrays_);
  program_.run(scratch.arrays_.rows(), scratch.workspace_);
  choose(trial, scratch);
  if (scratch.chosen_.empty() || !collect_intercurrent(trial, scratch)) return {};
  scratch.numbers_.resize(columns_.size());
  scratch.codes_.resize(columns_.size());
  if (endpoint_->kind == protocol::EndpointKind::time_to_event) {
    if (!(endpoint_->time ? measured_times(scratch) : event_times(trial, scratch))) return {};
  } else {
    responses(scratch);
    if ((recipe_.ice || !ice_.empty()) && !find_event_day(trial, scratch)) return {};
  }
  scratch.columns_.clear();
  for (std::size_t k = 0; k < columns_.size(); ++k) {
    fill(columns_[k], k, trial, scratch);
    ColumnView view{.name = schema_[k].name};
    if (schema_[k].numeric) view.cells = NumbersView(scratch.numbers_[k]);
    else if (columns_[k].kind == Kind::participant)
      view.cells = CategoriesView{scratch.codes_[k], {scratch.names_.data(), trial.n}};
    else view.cells = CategoriesView{scratch.codes_[k], schema_[k].levels};
    scratch.columns_.push_back(view);
  }
  return DatasetView{scratch.chosen_.size() * rows_of_one(), scratch.columns_};
}

}  // namespace equipoise::simulate
