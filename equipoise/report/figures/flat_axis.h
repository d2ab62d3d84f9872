#pragma once

#include <string>

#include "equipoise/report/figures/visit_frame.h"

/// Estimates that lie flat: a value axis from left to right, with intervals along it.
namespace equipoise::report::figures {

class FlatAxis {
 public:
  /// Of ratios (logarithmic, no effect at 1) or of differences (no effect at 0); along at.left to at.right.
  FlatAxis(bool ratio, Range const& range, Layout const& at);

  double operator()(double value) const { return axis_(value); }
  bool shows(double value) const;
  double none() const { return ratio_ ? 1 : 0; }

  /// Grid lines from at.top to at.bottom with their numbers below, the line of no effect stronger.
  Markup draw(Layout const& at) const;
  /// A flat interval with caps; an arrow where it leaves the axis.
  Markup interval(double lower, double upper, double y, ArmStyle const& style, double width) const;

 private:
  ValueAxis axis_;
  bool ratio_;
  double left_, right_;
};

/// "<- favours Placebo", "favours High dose ->" below the axis, where the endpoint says which direction is better; `foot` grows.
/// quantity  of the effect: of an event that is better later, a hazard ratio is better below 1
Markup favours(Context const& context, results::AnalysisRun const& run, FlatAxis const& x, std::string const& arm,
               std::string const& control, std::string_view quantity, Layout const& at, double least, double& foot);

}  // namespace equipoise::report::figures
