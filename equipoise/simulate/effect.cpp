#include "equipoise/simulate/effect.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise::simulate {
namespace {

enum class Shape { linear, emax, sigmoid_emax, quadratic, exponential, logistic, step };

constexpr std::array<std::pair<std::string_view, Shape>, 7> shapes{{{"linear", Shape::linear},
                                                                    {"emax", Shape::emax},
                                                                    {"sigmoid_emax", Shape::sigmoid_emax},
                                                                    {"quadratic", Shape::quadratic},
                                                                    {"exponential", Shape::exponential},
                                                                    {"logistic", Shape::logistic},
                                                                    {"step", Shape::step}}};

/// The doses of the arms; an arm that gets nothing has dose 0.
std::optional<std::vector<double>> doses(protocol::Protocol const& protocol, Section& text) {
  std::vector<double> amounts;
  std::string unit;
  bool fine = true;
  for (protocol::Arm const& arm : protocol.arms) {
    if (!arm.dose) {
      if (arm.role == protocol::ArmRole::investigational || arm.role == protocol::ArmRole::active_control) {
        text.report_at("shape", Code::unresolved, "a shape over doses needs the dose of every arm, and '{}' has none", arm.id)
            .hint = fmt::format("give the arm a dose = {{ amount = ..., unit = \"...\" }}, or the effect by arm: {{ {} = ... }}", arm.id);
        fine = false;
      }
      amounts.push_back(0);
      continue;
    }
    if (unit.empty()) unit = arm.dose->unit;
    if (unit != arm.dose->unit && arm.dose->amount != 0) {
      text.report_at("shape", Code::unit_mismatch, "a shape over doses needs them in one unit, and arms have '{}' and '{}'", unit,
                     arm.dose->unit);
      fine = false;
    }
    amounts.push_back(arm.dose->amount);
  }
  if (!fine) return {};
  return amounts;
}

double apply(Shape shape, double dose, double a, double b, double c) {
  switch (shape) {
    case Shape::linear:
      return a * dose;
    case Shape::emax:
      return a * dose / (b + dose);
    case Shape::sigmoid_emax:
      return dose > 0 ? a / (1 + std::pow(b / dose, c)) : 0.0;
    case Shape::quadratic:
      return (a + b * dose) * dose;
    case Shape::exponential:
      return a * std::expm1(dose / b);
    case Shape::logistic:
      return a / (1 + std::exp((b - dose) / c)) - a / (1 + std::exp(b / c));
    case Shape::step:
      return dose >= b ? a : 0.0;
  }
  return 0;
}

std::vector<double> over_doses(protocol::Protocol const& protocol, Section& text, Shape shape) {
  double a = 0, b = 1, c = 1;
  const Limits positive = Limits::above(0);
  switch (shape) {
    case Shape::linear:
      a = text.need_number("slope").value_or(a);
      break;
    case Shape::emax:
      a = text.need_number("emax").value_or(a), b = text.need_number("ed50", positive).value_or(b);
      break;
    case Shape::sigmoid_emax:
      a = text.need_number("emax").value_or(a), b = text.need_number("ed50", positive).value_or(b);
      c = text.need_number("h", positive).value_or(c);
      break;
    case Shape::quadratic:
      a = text.need_number("b1").value_or(a), b = text.need_number("b2").value_or(b);
      break;
    case Shape::exponential:
      a = text.need_number("e1").value_or(a), b = text.need_number("delta", positive).value_or(b);
      break;
    case Shape::logistic:
      a = text.need_number("emax").value_or(a), b = text.need_number("ed50").value_or(b);
      c = text.need_number("delta", positive).value_or(c);
      break;
    case Shape::step:
      a = text.need_number("emax").value_or(a), b = text.need_number("threshold", positive).value_or(b);
      break;
  }
  std::vector<double> full(protocol.arms.size(), 0.0);
  if (const auto amounts = doses(protocol, text))
    for (std::size_t arm = 0; arm < full.size(); ++arm) {
      full[arm] = apply(shape, (*amounts)[arm], a, b, c);
      if (!std::isfinite(full[arm])) {
        text.report_at("shape", Code::out_of_range, "the effect of arm '{}' under these numbers is not finite", protocol.arms[arm].id);
        full[arm] = 0;
      }
    }
  return full;
}

}  // namespace

void refuse_unknown_arms(protocol::Protocol const& protocol, Section& section, std::vector<std::string> const& known) {
  std::vector<std::string> arms;
  for (protocol::Arm const& arm : protocol.arms) arms.push_back(arm.id);
  for (Node::Member const& member : *section.node().table()) {
    section.allow(member.key);
    if (std::ranges::find(known, member.key) != known.end() || std::ranges::find(arms, member.key) != arms.end()) continue;
    Error& error = add_problem(section.problems(), member.place, Code::unresolved, "{} names '{}', which is not an arm of the trial",
                               section.name(), member.key);
    std::vector<std::string> words = arms;
    words.insert(words.end(), known.begin(), known.end());
    if (const auto near = nearest(member.key, words)) error.hint = fmt::format("did you mean '{}'?", *near);
    else error.hint = fmt::format("its arms are {}", join(arms, ", "));
  }
}

std::optional<std::vector<double>> by_arm(protocol::Protocol const& protocol, Section& section, std::string_view key,
                                          Limits limits, std::optional<double> otherwise) {
  const Node* value = section.node().find(key);
  if (!value || !value->table()) {
    const auto same = section.number(key, limits);
    if (!same) return {};
    return std::vector<double>(protocol.arms.size(), *same);
  }
  auto table = section.table(key, fmt::format("'{}' of {}", key, section.name()));
  std::vector<double> values;
  for (protocol::Arm const& arm : protocol.arms)
    values.push_back((otherwise ? table->number(arm.id, limits) : table->need_number(arm.id, limits)).value_or(otherwise.value_or(0)));
  refuse_unknown_arms(protocol, *table, {});
  return values;
}

Effect Effect::parse(protocol::Protocol const& protocol, Section text) {
  Effect effect(protocol.arms.size());
  constexpr Limits weeks{.min = 0, .max = 5200};
  effect.onset_days_ = 7 * text.number("onset_weeks", weeks).value_or(0);
  effect.half_life_days_ = 7 * text.number("half_life_weeks", {.min = 0, .max = 520000, .min_excluded = true}).value_or(0);
  if (text.has("shape")) {
    const auto shape = text.word<Shape>("shape", shapes);
    if (shape) {
      effect.full_ = over_doses(protocol, text, *shape);
      text.finish();
    }
    return effect;
  }
  for (std::size_t arm = 0; arm < effect.full_.size(); ++arm) effect.full_[arm] = text.number(protocol.arms[arm].id, {.min = -1e12, .max = 1e12}).value_or(0);
  refuse_unknown_arms(protocol, text, {"onset_weeks", "half_life_weeks", "shape"});
  return effect;
}

double Effect::course(double day) const {
  if (!(day > 0)) return 0;
  if (day < onset_days_) return day / onset_days_;
  return half_life_days_ > 0 ? std::exp2(-(day - onset_days_) / half_life_days_) : 1.0;
}

bool Effect::none() const {
  return std::ranges::all_of(full_, [](double full) { return full == 0; });
}

}  // namespace equipoise::simulate
