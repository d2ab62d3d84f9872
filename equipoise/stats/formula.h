#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// The right-hand side of a model: each term is the columns that it multiplies. Main effects come first, then interactions by
/// their number of factors, each group in the order of writing; no term twice; the margins of every interaction are there.
struct Formula {
  std::vector<std::vector<std::string>> terms;

  std::vector<std::string> columns() const;  ///< each once, in the order of their first use
};

/// Reads `a + b`, `a:b`, `a * b` (that is a + b + a:b), ':' binding before '*' before '+'. A column name is letters, digits, '_',
/// '.' and '@'; `log(a)` and `sqrt(a)` are columns of the data with that very name, which whoever makes the data makes. An
/// interaction brings its margins: `a:b` alone is `a * b`.
///
/// errors   syntax, with the position (from 1) in the text; out_of_range for more than 6 factors in a term or 500 terms
/// source   Wilkinson & Rogers (1973), Appl. Stat. 22, 392-399
/// checked  formula_test.cpp
Expected<Formula> parse_formula(std::string_view text);

/// The design columns of one term of the formula.
struct TermColumns {
  std::vector<std::string> factors;  ///< the columns of the data that the term multiplies
  std::size_t first = 0, count = 0;  ///< of the design's columns
};

/// A column of the data as it stands there, or one made of several.
struct DesignColumn {
  std::span<const double> values;
  std::shared_ptr<const std::vector<double>> made;  ///< holds `values` unless they are the data's
};

/// A design matrix: one column a coefficient. It looks into the frame that it was built from.
struct Design {
  std::size_t rows = 0;
  std::vector<Term> names;            ///< of the coefficients; factors sorted; the intercept, if any, first and empty
  std::vector<DesignColumn> columns;  ///< one for each coefficient
  std::vector<TermColumns> terms;     ///< in the order of the formula; the intercept is of no term
  std::vector<std::string> notes;

  std::span<const double> column(std::size_t j) const { return columns[j].values; }
  std::vector<double> copied_from(std::size_t first) const;  ///< columns from that one on, one after the other
};

/// Numbers enter as they are, categories by treatment coding against their first level; an interaction is the product of its
/// factors' columns, the first factor's levels changing fastest. A level that no row has gets no coefficient; when that is the
/// first level, the next one that occurs is the reference, and a note says so. With `Intercept::first` the design starts with a
/// column of ones.
///
/// errors   bad_cell for an infinite number; out_of_range for more than 2000 coefficients
/// checked  formula_test.cpp
enum class Intercept { none, first };
Expected<Design> build_design(Frame const& frame, Formula const& formula, Intercept intercept = Intercept::none);

/// The same without the columns: names, terms and notes only.
Expected<Design> name_design(Frame const& frame, Formula const& formula, Intercept intercept = Intercept::none);

/// "age", "arm 'b'", "arm 'b' : age": how sentences name a coefficient.
std::string to_text(Term const& term);

}  // namespace equipoise::stats
