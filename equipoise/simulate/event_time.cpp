#include "equipoise/simulate/event_time.h"

#include <algorithm>
#include <cmath>

#include "equipoise/simulate/effect.h"

namespace equipoise::simulate {
namespace {

constexpr double days_a_year = 365.25;
constexpr Limits a_rate{.min = 0, .max = 1000};
constexpr Limits a_ratio{.min = 0, .max = 1e6, .min_excluded = true};

/// Weeks from which pieces run, the first from 0, as days.
std::optional<std::vector<double>> read_starts(Section& text, std::string_view key, std::size_t pieces) {
  const auto weeks = text.numbers(key, {.min = 0, .max = 5200});
  if (!weeks) return {};
  std::vector<double> days;
  for (double week : *weeks) days.push_back(7 * week);
  if (days.size() != pieces)
    text.report_at(key, Code::size_mismatch, "'{}' in {} has {} numbers for {} pieces", key, text.name(), days.size(), pieces);
  else if (days.empty() || days[0] != 0 || std::ranges::adjacent_find(days, std::greater_equal{}) != days.end())
    text.report_at(key, Code::out_of_range, "'{}' in {} must begin with 0 and increase", key, text.name());
  else return days;
  return {};
}

}  // namespace

EventTime::Curve EventTime::curve(std::vector<double> start, std::vector<double> hazard) {
  Curve made{std::move(start), std::move(hazard), {0.0}};
  for (std::size_t i = 1; i < made.start.size(); ++i)
    made.reached.push_back(made.reached.back() + made.hazard[i - 1] * (made.start[i] - made.start[i - 1]));
  return made;
}

EventTime EventTime::constant(std::vector<double> const& per_year) {
  EventTime time;
  for (double rate : per_year) time.arms_.push_back(curve({0.0}, {rate / days_a_year}));
  time.note_constant();
  return time;
}

std::optional<EventTime> EventTime::parse(protocol::Protocol const& protocol, Section& text) {
  const std::size_t before = text.problems().size();
  EventTime time;
  std::vector<double> starts{0.0}, hazards{0.0};
  if (text.has("median_weeks")) {
    time.shape_ = text.number("shape", {.min = 0.05, .max = 20}).value_or(1);
    const double median = 7 * text.need_number("median_weeks", {.min = 0, .max = 52000, .min_excluded = true}).value_or(1);
    time.scale_ = median / std::pow(std::log(2), 1 / time.shape_);
    hazards = {1.0};
  } else if (const Node* rate = text.node().find("per_year"); rate && rate->array()) {
    if (auto rates = text.numbers("per_year", a_rate)) {
      hazards = *rates;
      for (double& hazard : hazards) hazard /= days_a_year;
      text.need("from_weeks");
      starts = read_starts(text, "from_weeks", hazards.size()).value_or(std::vector<double>(hazards.size(), 0.0));
    }
  } else {
    hazards = {text.need_number("per_year", a_rate).value_or(0) / days_a_year};
  }

  // Hazard ratios of the arms, by pieces of their own.
  std::vector<double> cuts{0.0};
  std::vector<std::vector<double>> ratios{std::vector<double>(protocol.arms.size(), 1.0)};
  const Node* given = text.node().find("hazard_ratio");
  if (given && given->array()) {
    cuts.clear(), ratios.clear();
    for (Section& piece : text.tables("hazard_ratio", "a hazard ratio of " + text.name())) {
      cuts.push_back(7 * piece.need_number("from_weeks", {.min = 0, .max = 5200}).value_or(0));
      std::vector<double> of_arms;
      for (protocol::Arm const& arm : protocol.arms) of_arms.push_back(piece.number(arm.id, a_ratio).value_or(1));
      refuse_unknown_arms(protocol, piece, {"from_weeks"});
      ratios.push_back(std::move(of_arms));
    }
    if (cuts.empty() || cuts[0] != 0 || std::ranges::adjacent_find(cuts, std::greater_equal{}) != cuts.end())
      text.report_at("hazard_ratio", Code::out_of_range, "the pieces of 'hazard_ratio' in {} must begin from week 0 and increase",
                     text.name());
  } else if (given) {
    auto table = text.table("hazard_ratio", "the hazard ratio of " + text.name());
    if (table) {
      for (std::size_t arm = 0; arm < protocol.arms.size(); ++arm)
        ratios[0][arm] = table->number(protocol.arms[arm].id, a_ratio).value_or(1);
      const double from = 7 * table->number("from_weeks", {.min = 0, .max = 5200}).value_or(0);
      refuse_unknown_arms(protocol, *table, {"from_weeks"});
      if (from > 0) {
        cuts = {0.0, from};
        ratios.insert(ratios.begin(), std::vector<double>(protocol.arms.size(), 1.0));
      }
    }
  }
  if (text.problems().size() != before) return {};

  const auto operational = [&](double day) { return std::pow(day / time.scale_, time.shape_); };
  for (std::size_t arm = 0; arm < protocol.arms.size(); ++arm) {
    std::vector<double> all = starts;
    all.insert(all.end(), cuts.begin(), cuts.end());
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    std::vector<double> at, hazard;
    for (double day : all) {
      const auto piece = [&](std::vector<double> const& from) {
        return std::size_t(std::ranges::upper_bound(from, day) - from.begin()) - 1;
      };
      at.push_back(operational(day));
      hazard.push_back(hazards[piece(starts)] * ratios[piece(cuts)][arm]);
    }
    time.arms_.push_back(curve(std::move(at), std::move(hazard)));
  }
  time.note_constant();
  return time;
}

double EventTime::cumulative_hazard(std::size_t arm, double day) const {
  Curve const& curve = arms_[arm];
  const double s = shape_ == 1 ? day / scale_ : std::pow(day / scale_, shape_);
  std::size_t piece = curve.start.size() - 1;
  while (piece > 0 && curve.start[piece] > s) --piece;
  return curve.reached[piece] + curve.hazard[piece] * (s - curve.start[piece]);
}

double EventTime::day(std::size_t arm, double exposure) const {
  Curve const& curve = arms_[arm];
  std::size_t piece = curve.start.size() - 1;
  while (piece > 0 && curve.reached[piece] > exposure) --piece;
  const double left = exposure - curve.reached[piece];
  if (!(curve.hazard[piece] > 0)) return left > 0 ? std::numeric_limits<double>::infinity() : curve.start[piece] * scale_;
  const double s = curve.start[piece] + left / curve.hazard[piece];
  return shape_ == 1 ? s * scale_ : std::pow(s, 1 / shape_) * scale_;
}

void EventTime::note_constant() {
  const auto constant = [](Curve const& curve) {
    return curve.start.size() == 1 && curve.start[0] == 0 && curve.reached[0] == 0 && curve.hazard[0] > 0;
  };
  if (shape_ != 1 || !std::ranges::all_of(arms_, constant)) return;
  for (Curve const& curve : arms_) constant_.push_back(curve.hazard[0]);
}

void EventTime::days(std::size_t n, std::int32_t const* arm, double* when) const {
  if (constant_.empty()) {
    for (std::size_t i = 0; i < n; ++i) when[i] = day(std::size_t(arm[i]), when[i]);
    return;
  }
  double const* hazard = constant_.data();
  for (std::size_t i = 0; i < n; ++i) when[i] = when[i] / hazard[arm[i]] * scale_;
}

std::optional<DatedEvent> dated_event(protocol::Protocol const& protocol, std::string_view code) {
  for (protocol::Form const& form : protocol.forms) {
    if (!form.any_time ||
        std::ranges::none_of(form.items, [](auto const& item) { return item.kind == protocol::ItemKind::date; }))
      continue;
    for (protocol::Item const& item : form.items)
      if (item.kind == protocol::ItemKind::code)
        for (std::size_t level = 0; level < item.codes.size(); ++level)
          if (item.codes[level].id == code)
            return DatedEvent{std::string(code), &form, &item, std::int32_t(level),
                              std::ranges::find(protocol.ends_participation, code) != protocol.ends_participation.end()};
  }
  return {};
}

}  // namespace equipoise::simulate
