#include "equipoise/report/cells.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <algorithm>

namespace equipoise::report {
namespace value {
namespace {

/// "fixed 2" of "−1.25", "percent 1" of "12.5%", "p" of "< 0.0001".
std::string format_of(std::string_view printed) {
  if (printed.starts_with("< ") || printed.starts_with("> ")) return "p";
  const bool percent = printed.ends_with("%");
  if (percent) printed.remove_suffix(1);
  const auto point = printed.find('.');
  const std::size_t decimals = point == std::string_view::npos ? 0 : printed.size() - point - 1;
  return fmt::format("{} {}", percent ? "percent" : "fixed", decimals);
}

}  // namespace

Value count(std::string statistic, std::int64_t n) { return {std::move(statistic), double(n), std::to_string(n), "count"}; }

Value fixed(std::string statistic, double raw, int decimals, std::string unit) {
  return {std::move(statistic), raw, results::fixed(raw, decimals), fmt::format("fixed {}", decimals), std::move(unit)};
}

Value percent(std::string statistic, double share, int decimals) {
  return {std::move(statistic), share, results::percent(share, decimals), fmt::format("percent {}", decimals), "%"};
}

Value p(std::string statistic, double p, double alpha) { return {std::move(statistic), p, results::p_value(p, alpha), "p"}; }

Value as_printed(std::string statistic, double raw, std::string printed) {
  std::string format = format_of(printed), unit = printed.ends_with("%") ? "%" : "";
  return {std::move(statistic), raw, std::move(printed), std::move(format), std::move(unit)};
}

Value estimate(Finding const& finding, results::Printed const& text) {
  Value out = as_printed(finding.quantity, finding.value, text.value);
  if (finding.quantity == "p" || finding.quantity == "adjusted_p") out.format = "p";
  return out;
}

Value se(Finding const& finding, results::Printed const& text) {
  return as_printed("se", finding.se.value_or(missing_number), text.se);
}

std::vector<Value> limits(Finding const& finding, results::Printed const& text) {
  return {as_printed("lower", finding.lower.value_or(missing_number), text.lower),
          as_printed("upper", finding.upper.value_or(missing_number), text.upper)};
}

}  // namespace value

Piece of_values(Piece::Kind kind, std::string_view pattern, std::vector<Value> values) {
  fmt::dynamic_format_arg_store<fmt::format_context> printed;
  for (Value const& one : values) printed.push_back(one.printed);
  return {kind, fmt::vformat(pattern, printed), std::move(values)};
}

Piece of_value(Value value, Piece::Kind kind) {
  std::string text = value.printed;
  return {kind, std::move(text), {std::move(value)}};
}

std::string_view symbol(Piece const& piece) {
  switch (piece.kind) {
    case Piece::Kind::seen:
      return "\u25a0";
    case Piece::Kind::unseen:
      return "\u25a1";
    case Piece::Kind::dot:
      return "\u25cf";
    default:
      return piece.text;
  }
}

std::string plain_text(Cell const& cell) {
  std::string out;
  for (Piece const& piece : cell.pieces) {
    if (piece.kind == Piece::Kind::mark || piece.kind == Piece::Kind::tag) continue;
    const bool below = piece.kind == Piece::Kind::under || piece.kind == Piece::Kind::place || piece.kind == Piece::Kind::n ||
                       piece.kind == Piece::Kind::window;
    if (below && !out.empty()) out += "; ";
    out += piece.kind == Piece::Kind::seen || piece.kind == Piece::Kind::unseen || piece.kind == Piece::Kind::dot
               ? std::string_view(piece.text)
               : symbol(piece);
  }
  return out;
}

void Grid::add(Row row) {
  if (groups.empty()) groups.emplace_back();
  groups.back().rows.push_back(std::move(row));
}

Piece Footnotes::mark(std::string const& sentence) {
  auto found = std::find(sentences_.begin(), sentences_.end(), sentence);
  if (found == sentences_.end()) found = sentences_.insert(found, sentence);
  const int note = int(found - sentences_.begin()) + 1;
  return {Piece::Kind::mark, std::to_string(note), {}, note};
}

std::string_view chapter_number(Table::Chapter chapter) {
  switch (chapter) {
    case Table::Chapter::design:
      return "9.5";
    case Table::Chapter::population:
      return "14.1";
    case Table::Chapter::efficacy:
      return "14.2";
    case Table::Chapter::safety:
      break;
  }
  return "14.3";
}

}  // namespace equipoise::report
