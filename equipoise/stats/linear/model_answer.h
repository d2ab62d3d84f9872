#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/formula.h"
#include "equipoise/stats/linear/reference_grid.h"
#include "equipoise/stats/method.h"

/// What every linear model answers, however it was fitted: LS means and their differences, contrasts, type III tests and
/// coefficients.
namespace equipoise::stats {

/// A comparison with weights that sum to 0: "trend", arm, { placebo = -1, low = 0, high = 1 }.
struct NamedContrast {
  std::string name, factor;
  std::map<std::string, double> weights;  ///< by level; levels not named have weight 0
};

/// An estimated linear function l'b of the coefficients. NaN = not estimable.
struct Inferred {
  double value = missing_number, se = missing_number, df = missing_number;
  double t = missing_number;  ///< value/se; NaN also where there is no error to compare with: then there are no limits either
  bool estimable = false;
};

struct EffectTest {
  double f = missing_number;
  double df = 0;                        ///< of the numerator: the number of independent functions
  double residual_df = missing_number;  ///< of the denominator
  bool estimable = false;
};

/// The coefficients of a fitted model, as far as questions about them go. `l` has an entry for each column of the design.
class CoefficientInference {
 public:
  virtual ~CoefficientInference() = default;
  virtual Inferred function(std::span<const double> l) const = 0;
  /// Coefficient j of the model without the columns that depend on earlier ones; not estimable when it is one of them.
  virtual Inferred coefficient(std::size_t j) const = 0;
  virtual bool used(std::size_t j) const = 0;
  /// All functions together are 0.
  virtual EffectTest test(std::vector<std::vector<double>> const& rows) const = 0;
  /// Sentences on what the fit as a whole cannot say.
  virtual void explain(std::vector<std::string>& notes) const = 0;
};

struct ModelQuestion {
  Formula const& formula;
  std::string factor;  ///< the category whose means come first; may be ""
  GridWeights weights = GridWeights::equal;
  std::vector<NamedContrast> const& contrasts;
  double level = 0.95;
};

/// Adds findings and notes: means and differences of the factor, then of the others, contrasts, cell means and differences within
/// cells of every interaction, effects, coefficients; the t statistics after all estimates. `design` needs names and terms only.
void answer_model(ModelQuestion const& question, Frame const& frame, Design const& design, CoefficientInference const& fit,
                  Answer& answer);

/// Adds nothing but the differences asked for.
void answer_focus(ModelQuestion const& question, Focus const& focus, Frame const& frame, Design const& design,
                  CoefficientInference const& fit, Answer& answer);

}  // namespace equipoise::stats
