#pragma once

#include <string>
#include <vector>

#include "equipoise/report/figures/curve_frame.h"
#include "equipoise/report/rehearsal/figures.h"
#include "equipoise/report/svg.h"

/// What the figures of a rehearsal have in common.
namespace equipoise::report::rehearsal::figures {

using report::figures::axis;
using report::figures::grid;
using report::figures::ink;
using report::figures::muted;

/// The SVG with its watermark, in a frame that scrolls on a narrow screen.
Markup framed(Names const& names, double width, double height, std::string const& title, Markup const& content);

/// Lines no wider than `width`, at most `most` of them; the last ends with an ellipsis when something is left out.
std::vector<std::string> clipped(std::string const& text, double width, double size, std::size_t most,
                                 svg::Weight weight = svg::Weight::regular);

/// Markers and names of the scenarios along lines; `height` grows by what they take.
Markup scenario_legend(Names const& names, double left, double right, double top, double& height);

/// Marker of a scenario at a point.
Markup scenario_marker(Names const& names, std::size_t scenario, svg::Point at, double radius = 4.6);

std::string class_of(char kind, int slot);  ///< "s2", "f2"

}  // namespace equipoise::report::rehearsal::figures
