#include "equipoise/vault/dose.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise::vault {
namespace {

constexpr int most_digits = 15;  ///< that a double holds of every decimal number

}  // namespace

double rounded(double value, int digits) {
  expects(digits >= 1 && digits <= most_digits && std::isfinite(value) && value >= 0,
          "a finite number from 0 is rounded to 1 to 15 digits");
  char text[64];  // d.dddddddddddddde+XX
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, most_digits - 1).ptr;
  const std::string_view written(text, std::size_t(end - text));
  const auto e = written.find('e');
  std::string number(written.substr(0, 1));
  number += written.substr(2, e - 2);
  int exponent = 0;
  std::from_chars(text + e + (written[e + 1] == '+' ? 2 : 1), end, exponent);
  const bool up = std::size_t(digits) < number.size() && number[std::size_t(digits)] >= '5';
  number.resize(std::size_t(digits));
  std::size_t at = number.size();
  for (bool carry = up; carry; carry = number[at] == '0') {
    if (at == 0) {  // 9.99 becomes 10.0
      number.insert(number.begin(), '1'), ++exponent;
      break;
    }
    --at;
    number[at] = number[at] == '9' ? '0' : char(number[at] + 1);
  }
  const std::string decimal = fmt::format("{}e{}", number, exponent - int(number.size()) + 1);
  double made = 0;
  std::from_chars(decimal.data(), decimal.data() + decimal.size(), made);
  return made;
}

double DoseFormula::amount(double dose_amount, double weight_kg) const {
  return rounded(factor * (dose ? dose_amount : 1) * (weight ? weight_kg : 1), digits);
}

Expected<DoseFormula> parse_dose_formula(std::string_view text, int digits) {
  DoseFormula formula{.text = std::string(trimmed(text)), .digits = digits};
  for (std::string_view rest = text;;) {
    const auto star = rest.find('*');
    const std::string_view part = trimmed(rest.substr(0, star));
    const bool is_dose = part == "dose", is_weight = part == "weight";
    if (is_dose || is_weight) {
      bool& used = is_dose ? formula.dose : formula.weight;
      if (used) return fail(Code::syntax, "'{}' is in the amount '{}' twice", part, formula.text);
      used = true;
    } else if (const auto number = to_number(part); number && *number >= 0) {
      formula.factor *= *number;
    } else {
      return fail(Code::syntax, "an amount is a product of 'dose', 'weight' and numbers from 0, and '{}' in '{}' is none of them",
                  part, formula.text);
    }
    if (star == std::string_view::npos) break;
    rest.remove_prefix(star + 1);
  }
  if (!std::isfinite(formula.factor)) return fail(Code::syntax, "the numbers of the amount '{}' are too large", formula.text);
  return formula;
}

Doses Doses::parse(protocol::Protocol const& protocol, Problems& problems) {
  Doses made;
  std::string unit;
  for (protocol::Arm const& arm : protocol.arms) {
    made.doses_.push_back(arm.dose ? arm.dose->amount : 0);
    if (arm.dose && unit.empty()) unit = arm.dose->unit;
  }
  if (protocol::Item const* weight = protocol.item("weight"); weight && weight->hard) made.weights_ = *weight->hard;
  for (protocol::Intervention const& intervention : protocol.interventions) {
    Given& given = made.given_.emplace_back(Given{.id = intervention.id, .visits = intervention.visits});
    if (intervention.amount.empty()) continue;
    const auto formula = parse_dose_formula(intervention.amount, intervention.digits);
    if (!formula) {
      problems.push_back(formula.error());
      problems.back().place = intervention.amount_place;
      continue;
    }
    given.formula = *formula;
    const auto report = [&]<class... A>(Code code, fmt::format_string<A...> text, A&&... values) {
      add_problem(problems, intervention.amount_place, code, text, std::forward<A>(values)...);
    };
    if (formula->dose) {
      for (protocol::Arm const& arm : protocol.arms) {
        if (!arm.dose && arm.role != protocol::ArmRole::no_treatment)
          report(Code::missing_key, "the amount of '{}' is made from the dose of the arm, and arm '{}' has none", given.id,
                 arm.id);
        if (arm.dose && arm.dose->unit != unit)
          report(Code::unit_mismatch, "the amount of '{}' is made from doses in '{}' and '{}', which do not compare", given.id,
                 unit, arm.dose->unit);
      }
      const bool per_kg = unit.ends_with("/kg");
      if (per_kg != formula->weight)
        report(Code::unit_mismatch, "the dose is in '{}', and the amount of '{}' {} it by the weight", unit, given.id,
               per_kg ? "does not multiply" : "multiplies");
      given.unit = per_kg ? unit.substr(0, unit.size() - 3) : unit;
    } else {
      given.unit = formula->weight ? "kg" : "1";
    }
  }
  return made;
}

Expected<allocation::DoseOrder> Doses::order(allocation::DoseRequest const& request, std::size_t arm) const {
  const auto given = std::ranges::find(given_, request.intervention, &Given::id);
  if (given == given_.end()) return fail(Code::unresolved, "the protocol has no intervention '{}'", request.intervention);
  if (std::ranges::find(given->visits, request.visit) == given->visits.end())
    return fail(Code::unresolved, "'{}' is not given at the visit '{}'", given->id, request.visit);
  if (given->formula.text.empty()) return fail(Code::not_available, "the protocol states no amount of '{}'", given->id);
  if (!(request.weight_kg >= weights_.first && request.weight_kg <= weights_.second))
    return fail(Code::out_of_range, "a weight of {} kg is outside the limits of {} to {} kg", shortest(request.weight_kg),
                shortest(weights_.first), shortest(weights_.second));
  return allocation::DoseOrder{.amount = given->formula.amount(doses_[arm], request.weight_kg),
                               .unit = given->unit,
                               .formula = given->formula.text,
                               .dose = given->formula.dose ? doses_[arm] : 0,
                               .weight_kg = request.weight_kg};
}

}  // namespace equipoise::vault
