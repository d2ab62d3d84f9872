#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/report/html.h"
#include "equipoise/report/rehearsal/names.h"

/// The figures of a rehearsal. Each is an SVG in its scrolling frame, empty when there is nothing to draw.
namespace equipoise::report::rehearsal::figures {

using results::Share;

/// Shares of trials, a block of rows for each label and in it a row for each scenario: a point with the 95 % interval of its
/// Monte Carlo error (Wilson's).
struct ShareRow {
  std::string label;
  std::vector<std::optional<Share>> by_scenario;
};
Markup shares(Names const& names, std::string const& title, std::vector<ShareRow> const& rows, std::optional<double> nominal);

/// Something that is counted in every cell of a grid.
struct GridSeries {
  std::string label;
  std::vector<Share> cells;
};
/// Analyses of the primary question and families, then claims.
std::vector<GridSeries> tests_of(Names const& names, results::Grid const& grid);
std::vector<GridSeries> claims_of(Names const& names, results::Grid const& grid);

/// Of a grid with one axis: a line for each series with a band of Monte Carlo error.
Markup power_curves(Names const& names, std::string const& title, results::Grid::Axis const& axis,
                    std::vector<GridSeries> const& series);
/// Of a grid with two or more: a panel for each series (and each value of the axes before the last two); a cell's shade is its
/// share, which is printed in it.
Markup heat_maps(Names const& names, std::string const& title, results::Grid const& grid, std::vector<GridSeries> const& series);

/// Histograms of the estimates of the first trials: a panel for each arm (row) and scenario (column).
Markup distributions(Names const& names, std::string const& title, std::string const& analysis);

/// Zip plot: the intervals of the first trials, ordered by how far they lie from the truth for their width.
///
/// source  Morris, White & Crowther (2019), Stat. Med. 38, 2074-2102, figure 6
Markup zip(Names const& names, std::string const& title, std::string const& analysis);

/// When so many were randomised: median, middle 50 and 90 %. Scenarios with the same fan share a panel.
Markup accrual(Names const& names, std::string const& title);

/// A heat map's shade of a share of trials, and the ink that is read on it.
struct Shade {
  std::string fill;
  std::string_view ink;
};
Shade shade(double share);

}  // namespace equipoise::report::rehearsal::figures
