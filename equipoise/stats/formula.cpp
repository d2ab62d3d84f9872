#include "equipoise/stats/formula.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace equipoise::stats {
namespace {

constexpr std::size_t most_factors = 6, most_terms = 500, most_coefficients = 2000;

using Factors = std::vector<std::string>;  // the columns of one term

bool is_name_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
         byte == '.' || byte == '@' || byte >= 0x80;  // letters beyond ASCII
}

bool same_columns(Factors const& a, Factors const& b) {
  return a.size() == b.size() && std::is_permutation(a.begin(), a.end(), b.begin());
}

void add_once(std::vector<Factors>& terms, Factors term) {
  for (Factors const& already : terms)
    if (same_columns(already, term)) return;
  terms.push_back(std::move(term));
}

Factors product(Factors a, Factors const& b) {
  for (std::string const& column : b)
    if (std::find(a.begin(), a.end(), column) == a.end()) a.push_back(column);  // a:a is a
  return a;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expected<std::vector<Factors>> sum() {
    std::vector<Factors> terms;
    do {
      auto more = crossed();
      if (!more) return more;
      for (Factors& term : *more) add_once(terms, std::move(term));
      if (terms.size() > most_terms) return too_many();
    } while (take('+'));
    skip_blanks();
    if (at_ == text_.size()) return terms;
    const char c = text_[at_];
    auto error = fail(Code::syntax, "formula, position {}: expected '+', '*' or ':' and found '{}'", at_ + 1, shown());
    if (c == '(')
      error.value().hint = "of columns a formula knows log(x) and sqrt(x); any other is a derivation with a name of its own";
    if (c == '-') error.value().hint = "terms are added; leave out what the model should not have";
    if (c == '~') error.value().hint = "the response is a role; the formula is the right-hand side only";
    return error;
  }

 private:
  Expected<std::vector<Factors>> crossed() {
    std::vector<Factors> terms;
    do {
      auto term = interaction();
      if (!term) return tl::unexpected(term.error());
      if (terms.empty()) {
        terms.push_back(std::move(*term));
        continue;
      }
      const std::vector<Factors> before = terms;  // a * b is a + b + a:b
      add_once(terms, *term);
      for (Factors const& left : before) add_once(terms, product(left, *term));
      if (terms.size() > most_terms) return too_many();
    } while (take('*'));
    return terms;
  }

  Expected<Factors> interaction() {
    Factors factors;
    do {
      auto column = this->column();
      if (!column) return tl::unexpected(column.error());
      factors = product(std::move(factors), {std::move(*column)});
    } while (take(':'));
    return factors;
  }

  /// A name, or a function of one: that is a column too, called `log(NAME)` whatever the blanks.
  Expected<std::string> column() {
    auto name = this->name();
    if (!name || (*name != "log" && *name != "sqrt") || !take('(')) return name;
    auto of = this->name();
    if (!of) return of;
    if (!take(')'))
      return fail(Code::syntax, "formula, position {}: expected ')' after {}({} and found {}", at_ + 1, *name, *of, found());
    return fmt::format("{}({})", *name, *of);
  }

  Expected<std::string> name() {
    skip_blanks();
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name_byte(text_[at_])) ++at_;
    if (begin < at_) return std::string(text_.substr(begin, at_ - begin));
    auto error = fail(Code::syntax, "formula, position {}: expected the name of a column and found {}", at_ + 1, found());
    if (trimmed(text_).empty()) error.value().message = "the formula is empty";
    return error;
  }

  tl::unexpected<Error> too_many() { return fail(Code::out_of_range, "the formula has more than {} terms", most_terms); }

  std::string_view shown() const { return text_.substr(at_, 1); }
  std::string found() const { return at_ == text_.size() ? std::string("the end") : fmt::format("'{}'", shown()); }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// One factor as columns: a number is one, a category one for each level but the reference.
struct Coding {
  std::string column;
  NumbersView numbers;
  CategoriesView categories;
  std::vector<std::int32_t> levels;  // of a category: those with a coefficient
  bool numeric = true;

  std::size_t size() const { return numeric ? 1 : levels.size(); }
  double value(std::size_t row, std::size_t piece) const {
    return numeric ? numbers[row] : (categories.codes[row] == levels[piece] ? 1.0 : 0.0);
  }
  Factor name(std::size_t piece) const {
    return numeric ? Factor{column, {}} : Factor{column, categories.levels[std::size_t(levels[piece])]};
  }
};

Expected<Coding> code_column(Frame const& frame, std::string const& name, std::vector<std::string>& notes) {
  Coding coding{.column = name};
  const auto found =
      std::find_if(frame.columns.begin(), frame.columns.end(), [&](ColumnView const& c) { return c.name == name; });
  expects(found != frame.columns.end(), fmt::format("the frame has no column '{}'", name));
  if (found->numeric()) {
    coding.numbers = found->numbers();
    std::size_t bad = 0;  // counted without a branch, four at a time; which one it is, is looked up only when there is one
    for (const double number : coding.numbers) bad += !(std::abs(number) <= std::numeric_limits<double>::max());
    for (std::size_t i = 0; bad > 0 && i < coding.numbers.size(); ++i)
      if (const double number = coding.numbers[i]; !std::isfinite(number))
        return fail(Code::bad_cell, "column '{}' holds {}: a covariate must be finite", name, shortest(number));
    return coding;
  }
  coding.numeric = false;
  coding.categories = found->categories();
  std::vector<std::uint8_t> occurs(coding.categories.levels.size(), 0);
  for (const std::int32_t code : coding.categories.codes) occurs[std::size_t(code)] = 1;
  for (std::size_t level = 0; level < occurs.size(); ++level)
    if (occurs[level]) coding.levels.push_back(std::int32_t(level));
  if (!coding.levels.empty()) {
    const auto reference = std::size_t(coding.levels.front());
    if (reference != 0)
      notes.push_back(fmt::format("no row has the reference level '{}' of '{}': nothing can be compared with it",
                                  coding.categories.levels[0], name));
    coding.levels.erase(coding.levels.begin());
  }
  return coding;
}

}  // namespace

std::vector<std::string> Formula::columns() const {
  std::vector<std::string> names;
  for (auto const& term : terms)
    for (std::string const& column : term)
      if (std::find(names.begin(), names.end(), column) == names.end()) names.push_back(column);
  return names;
}

Expected<Formula> parse_formula(std::string_view text) {
  auto written = Parser(text).sum();
  if (!written) return tl::unexpected(written.error());
  std::vector<Factors> with_margins;
  for (Factors const& term : *written) {
    if (term.size() > most_factors)
      return fail(Code::out_of_range, "an interaction of the formula has {} factors; at most {} are possible", term.size(),
                  most_factors);
    for (unsigned subset = 1; subset < (1u << term.size()); ++subset) {
      Factors margin;
      for (std::size_t i = 0; i < term.size(); ++i)
        if (subset & (1u << i)) margin.push_back(term[i]);
      add_once(with_margins, std::move(margin));
    }
    if (with_margins.size() > most_terms) return fail(Code::out_of_range, "the formula has more than {} terms", most_terms);
  }
  std::stable_sort(with_margins.begin(), with_margins.end(),
                   [](Factors const& a, Factors const& b) { return a.size() < b.size(); });
  return Formula{std::move(with_margins)};
}

namespace {

/// The design, with the values of its columns or (`values` false) only their names.
Expected<Design> make_design(Frame const& frame, Formula const& formula, Intercept intercept, bool with_values) {
  Design design{.rows = frame.rows};
  if (intercept == Intercept::first) {
    design.names.emplace_back();
    if (with_values) {
      const auto ones = std::make_shared<const std::vector<double>>(frame.rows, 1.0);
      design.columns.push_back({*ones, ones});
    }
  }
  std::vector<Coding> codings;
  for (std::string const& name : formula.columns()) {
    auto coding = code_column(frame, name, design.notes);
    if (!coding) return tl::unexpected(coding.error());
    codings.push_back(std::move(*coding));
  }
  std::vector<Coding const*> factors;
  std::vector<std::size_t> pieces;
  for (auto const& term : formula.terms) {
    factors.clear();
    std::size_t coefficients = 1;
    for (std::string const& column : term) {
      factors.push_back(&*std::find_if(codings.begin(), codings.end(), [&](Coding const& c) { return c.column == column; }));
      coefficients = std::min(coefficients * factors.back()->size(), most_coefficients + 1);
    }
    if (design.names.size() + coefficients > most_coefficients)
      return fail(Code::out_of_range, "the formula makes more than {} coefficients", most_coefficients);
    design.terms.push_back({term, design.names.size(), coefficients});
    design.names.reserve(design.names.size() + coefficients);
    for (std::size_t number = 0; number < coefficients; ++number) {
      Term& name = design.names.emplace_back();
      name.reserve(factors.size());
      pieces.clear();
      std::size_t rest = number;
      for (Coding const* factor : factors) {
        const std::size_t piece = rest % factor->size();
        rest /= factor->size();
        name.push_back(factor->name(piece));
        pieces.push_back(piece);
      }
      std::sort(name.begin(), name.end());
      if (!with_values) continue;
      if (factors.size() == 1 && factors[0]->numeric) {
        design.columns.push_back({factors[0]->numbers, nullptr});
      } else {
        std::vector<double> values(frame.rows, 1.0);
        for (std::size_t f = 0; f < factors.size(); ++f)
          for (std::size_t row = 0; row < frame.rows; ++row) values[row] *= factors[f]->value(row, pieces[f]);
        const auto made = std::make_shared<const std::vector<double>>(std::move(values));
        design.columns.push_back({*made, made});
      }
    }
  }
  return design;
}

}  // namespace

Expected<Design> build_design(Frame const& frame, Formula const& formula, Intercept intercept) {
  return make_design(frame, formula, intercept, true);
}

Expected<Design> name_design(Frame const& frame, Formula const& formula, Intercept intercept) {
  return make_design(frame, formula, intercept, false);
}

std::vector<double> Design::copied_from(std::size_t first) const {
  std::vector<double> values;
  values.reserve((columns.size() - std::min(first, columns.size())) * rows);
  for (std::size_t j = first; j < columns.size(); ++j) values.insert(values.end(), column(j).begin(), column(j).end());
  return values;
}

std::string to_text(Term const& term) {
  std::vector<std::string> parts;
  for (Factor const& factor : term)
    parts.push_back(factor.level ? fmt::format("{} '{}'", factor.column, *factor.level) : factor.column);
  return parts.empty() ? "the intercept" : join(parts, " : ");
}

}  // namespace equipoise::stats
