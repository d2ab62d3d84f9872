#pragma once

#include <string>
#include <utility>
#include <vector>

#include "equipoise/protocol/protocol.h"
#include "equipoise/report/figure_data.h"
#include "equipoise/report/renderers.h"
#include "equipoise/results/results.h"

/// A trial's answer as one page for people.
namespace equipoise::report {

struct Options {
  std::string language = "en";  ///< "en" or "zh"; texts of the protocol in that language where it has them
  bool blinded = false;         ///< of documents made by report::blinded: said on the page and on each page of the tables
};

/// One figure of the page: its image, and the numbers in it.
struct Figure {
  std::string number, caption;
  std::string svg;
  FigureData data;
};
/// "f-14.2.3-kaplan_meier_a04": what the files of a figure are called.
std::string file_name(Figure const& figure);

/// The page, and its tables and figures with their numbers for the other formats.
struct Document {
  std::string html;
  std::vector<Table> tables;
  std::vector<Figure> figures;
  Frame frame;
};
Document document(protocol::Protocol const& protocol, results::Results const& results, Options const& options = {});

/// The files of a report in these formats ("html", "rtf", "csv", "svg"), by their paths in its folder: report.html, tables.rtf
/// with all tables, tables/t-14.1.2-demography.rtf and .csv; figures/f-14.2.1-kaplan_meier_a04.svg, and with "csv" its numbers
/// and the R script that draws it from them.
std::vector<std::pair<std::string, std::string>> files_of(Document const& document, std::vector<std::string> const& formats);

/// One self-contained HTML page: no request leaves it, no clock is read, the same documents give the same bytes. Complete without
/// its script, which adds a read-out to the curves, and to each figure what takes it away as SVG, PNG, PDF, CSV or R. Every text
/// of the documents is escaped, and the page's own content security policy lets no script run but that one.
std::string html(protocol::Protocol const& protocol, results::Results const& results, Options const& options = {});

}  // namespace equipoise::report
