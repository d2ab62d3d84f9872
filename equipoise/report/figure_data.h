#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/context.h"

/// What stands in a figure as numbers, to be taken away with it: a data file and the R code that draws it again from that file.
namespace equipoise::report {

/// The columns of one figure's file, and how R reads it.
struct FigureData {
  std::string id;                    ///< for file names: "kaplan_meier_a04"
  std::vector<std::string> columns;  ///< each once
  std::vector<std::vector<std::string>> rows;
  std::string call{};  ///< how R or SAS computes these numbers from data of participants; may be empty
  std::string plot{};  ///< R code that draws a data frame `d` with these columns; ASCII

  bool simulated = false;  ///< said in the first column of each row, and at the head of the R script

  bool empty() const { return rows.empty(); }
  void say_simulated();
  /// Adds a row of cells by their columns; a column that is new is added, and missing before ("").
  void add(std::vector<std::pair<std::string, std::string>> const& cells);
};

/// A number as a file holds it: shortest form that is read back as the same number; nothing for NaN, "Inf" for infinity.
std::string data_number(double value);

/// The figure's numbers as CSV: names, then rows. UTF-8, LF.
std::string csv_of(FigureData const& data);
/// The R script: what the figure is, the call that computes its numbers, and how it is drawn from `csv`.
std::string r_of(FigureData const& data, std::string const& csv, std::string const& caption);

/// Series of one quantity of an analysis, a row for each of their points, visits by their ids.
FigureData series_data(Context const& context, results::AnalysisRun const& run, std::string_view quantity, std::string const& id);
/// Records of an analysis that are wanted: where each was read (arm, against, visit, ...), value, limits, P.
FigureData records_data(Context const& context, results::AnalysisRun const& run,
                        std::function<bool(results::Record const&)> const& wanted, std::string const& id);
/// Every effect of a subgroup analysis for one arm.
FigureData subgroups_data(Context const& context, results::AnalysisRun const& run, std::string const& arm);
/// How many participants of each arm are at each stage.
FigureData flow_data(Context const& context);

/// R code for a figure by its kind ("survival", "visits", "flat", "trajectory", ...); nothing for a kind that is not known.
std::string_view r_plot(std::string_view kind);
/// "survival::coxph(Surv(time, event) ~ arm)": the call of R whose numbers a method reproduces; empty when there is none.
std::string_view r_method(std::string_view method);

}  // namespace equipoise::report
