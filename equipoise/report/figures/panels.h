#pragma once

#include <functional>
#include <string>
#include <vector>

#include "equipoise/report/context.h"
#include "equipoise/report/figures/visit_frame.h"

/// Small multiples: panels of equal size in rows, one for each arm.
namespace equipoise::report::figures {

/// Plot area of one panel; its heading stands above `top`.
struct Panel {
  double left = 0, right = 0, top = 0, bottom = 0;
  double heading = 0;              ///< baseline of the first line of its heading
  bool first_in_row = true;        ///< has the numbers of the vertical axis
  std::vector<std::string> lines;  ///< name of the arm
};
struct PanelSize {
  double left = 62;  ///< room for the vertical axis at the left of a row
  double head = 26;  ///< between heading and plot
  double height = 220, foot = 54, gap = 24;
  double top = 8;  ///< above the first heading
};
struct PanelGrid {
  std::vector<Panel> panels;
  double width = 940, height = 0;
};
PanelGrid panel_grid(Context const& context, std::vector<std::string> const& arms, PanelSize const& size);

/// Marker and name of the arm in its colour, and how many participants.
Markup panel_head(Context const& context, std::string const& arm, std::int64_t n, Panel const& panel);

/// Visits below a panel, as many as have room, the last one always; and what they count.
Markup panel_labels(Context const& context, VisitAxis const& visits, Panel const& panel,
                    std::function<double(std::size_t)> const& x);

}  // namespace equipoise::report::figures
